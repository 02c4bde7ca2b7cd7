package outbox

import (
	"errors"
	"os"
	"syscall"

	"coworking/pkg/fault"
)

// lock makes this the only one who has a folder open. The kernel lets go of it when
// the process ends, however it ends.
func lock(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, failed(err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close() // nothing was written
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fault.Unavailable.With("outbox_locked", "", "somebody else has this outbox open: each process needs one of its own")
	}
	return nil, failed(err)
}
