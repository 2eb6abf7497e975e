// Package accountfile is how the account's file is locked, read and replaced. It knows nothing of what stands in the account, so that
// the control plane, which does not carry the account's model, can change it, too.
package accountfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// FormatVersion is raised when an older file could be misread.
const FormatVersion = 1

// Path of the file in the account's folder.
func Path(dir string) string { return filepath.Join(dir, "account.json") }

// Previous is the path of the file as it was before the last change.
func Previous(dir string) string { return Path(dir) + ".previous" }

// Lock makes the caller the only one who changes the account in dir, until unlock.
func Lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "account.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the account's lock: %w", err)
	}
	for {
		if err = unix.Flock(int(f.Fd()), unix.LOCK_EX); !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("the account's lock: %w", err)
	}
	return func() { f.Close() }, nil
}

// Replace puts b in the file's place. It makes the new state durable before the old one is gone: a kill or power cut leaves one of the
// two, whole.
func Replace(dir string, b []byte) error {
	if err := replace(dir, b); err != nil {
		return fmt.Errorf("the account's file: %w", err)
	}
	return nil
}

func replace(dir string, b []byte) error {
	path, tmp := Path(dir), Path(dir)+".new"
	if err := WriteDurably(tmp, b); err != nil {
		return err
	}
	if err := os.Remove(Previous(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Link(path, Previous(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// WriteDurably makes a file whose content is on disk when it returns.
func WriteDurably(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
