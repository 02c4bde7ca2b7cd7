package system

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"coworking/pkg/fault"
)

// lock makes this process the only one that runs a system on a folder. The kernel
// lets go of it when the process ends, however it ends.
func lock(dir string) (release func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Internal.Errorf("the data folder: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = file.Close() // nothing was written
		return nil, errLocked
	}
	if err != nil {
		_ = file.Close() // nothing was written
		return nil, fault.Internal.Errorf("locking the data folder: %w", err)
	}
	return func() { _ = file.Close() }, nil // the file stays: whoever removed it would let two in
}

var errLocked = errors.New("somebody runs on this folder")
