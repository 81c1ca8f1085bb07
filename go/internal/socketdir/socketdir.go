//go:build unix

// Package socketdir makes the private directories in which a host and its plugins keep their Unix sockets, and
// removes those that a killed process left behind.
package socketdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockName is the file in a directory that its owner holds locked. The kernel lets go of the lock when the owner
// dies, however it dies, so a directory whose lock is free is garbage.
const lockName = "owner.lock"

// Dir is a directory of mode 0700 that belongs to this process.
type Dir struct {
	Path string
	lock *os.File
}

// Create makes a directory in the system's directory for temporary files. Its name begins with prefix.
func Create(prefix string) (*Dir, error) {
	path, err := os.MkdirTemp("", prefix)
	if err != nil {
		return nil, fmt.Errorf("directory for sockets: %w", err)
	}
	dir, err := Claim(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return dir, nil
}

// Claim marks an existing directory as this process's, until Remove or the end of the process.
func Claim(path string) (*Dir, error) {
	name := filepath.Join(path, lockName)
	lock, err := os.OpenFile(name+".new", os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock of the directory for sockets: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", lock.Name(), err), lock.Close())
	}
	// It gets its name when it is locked, lest a Sweep elsewhere finds it free.
	if err := os.Rename(name+".new", name); err != nil {
		return nil, errors.Join(fmt.Errorf("lock of the directory for sockets: %w", err), lock.Close())
	}
	return &Dir{Path: path, lock: lock}, nil
}

// Remove removes the directory with the sockets in it.
func (d *Dir) Remove() error {
	return errors.Join(os.RemoveAll(d.Path), d.lock.Close())
}

// Sweep removes the directories with one of the prefixes whose owner is dead. Directories of other users are left
// to them.
func Sweep(prefixes ...string) error {
	var errs []error
	for _, prefix := range prefixes {
		locks, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*", lockName))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, lock := range locks {
			errs = append(errs, removeIfOwnerless(lock))
		}
	}
	return errors.Join(errs...)
}

func removeIfOwnerless(lockPath string) error {
	lock, err := os.OpenFile(lockPath, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if err != nil {
		// Removed meanwhile, or another user's.
		return nil
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil
	}
	return os.RemoveAll(filepath.Dir(lockPath))
}
