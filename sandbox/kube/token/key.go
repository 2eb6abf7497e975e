package token

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Key signs the tokens of one sandbox.
type Key struct{ secret []byte }

// keyFile lies beside the account's file.
const keyFile = "token.key"

// LoadKey is the key in the account's folder dir, made at the first call. Several processes may call it at once: all get
// the same key.
func LoadKey(dir string) (Key, error) {
	path := filepath.Join(dir, keyFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := newKey(dir, path); err != nil {
			return Key{}, fmt.Errorf("key for EKS tokens: %w", err)
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return Key{}, fmt.Errorf("key for EKS tokens: %w", err)
	}
	secret, err := hex.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(secret) != 32 {
		return Key{}, fmt.Errorf("key for EKS tokens %s is damaged: remove the file, a new one is made and tokens last 15 minutes anyway", path)
	}
	return Key{secret}, nil
}

// newKey writes a whole key and links it into place: of two processes the first wins and neither sees half a key.
func newKey(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	secret := make([]byte, 32)
	rand.Read(secret) //nolint:errcheck // never fails since Go 1.24
	f, err := os.CreateTemp(dir, "."+keyFile+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
