package view

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"
)

// pollInterval is how soon a change of the file is seen. Polling, because file notification does not work on every file
// system on which people keep their work.
const pollInterval = 200 * time.Millisecond

// Watcher holds the latest readable view of a file.
type Watcher struct {
	file    string
	changed chan struct{}

	mu      sync.Mutex
	seen    os.FileInfo
	current *View
	digest  string
	err     error
}

// unchanged tells one content of the file from another: an atomic replacement changes the inode, which os.SameFile sees.
func unchanged(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// NewWatcher reads file once; Run keeps it fresh.
func NewWatcher(file string) *Watcher {
	w := &Watcher{file: file, changed: make(chan struct{}, 1), err: fs.ErrNotExist}
	w.Refresh()
	select { // what was there from the beginning is no change
	case <-w.changed:
	default:
	}
	return w
}

// Run looks at the file until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.Refresh()
		}
	}
}

// Changed gets a value after a change; several changes may be one value.
func (w *Watcher) Changed() <-chan struct{} { return w.changed }

// Current is the latest readable view and its digest. It is nil while there was none: the account has not been written
// yet, which says nothing about clusters. err tells why the file is not readable at this moment; the view is then the one
// before. The view must not be changed.
func (w *Watcher) Current() (v *View, digest string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current, w.digest, w.err
}

// Refresh looks at the file now.
func (w *Watcher) Refresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := os.Stat(w.file)
	if err == nil && unchanged(w.seen, info) {
		return
	}
	before := w.err
	v, digest, err := Read(w.file)
	w.seen, w.err = info, err
	if err != nil {
		if before == nil || before.Error() != err.Error() {
			w.tell()
		}
		return
	}
	w.current, w.digest = v, digest
	w.tell()
}

func (w *Watcher) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Absent tells whether err of Current means that the account was never written.
func Absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
