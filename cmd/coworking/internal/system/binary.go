package system

import (
	"os"
	"os/exec"
	"path/filepath"

	"coworking/pkg/fault"
)

// Binary finds one of the services' binaries: beside our own, where `make build`
// puts it, else on the path.
func Binary(name string) (string, error) {
	if own, err := os.Executable(); err == nil {
		if followed, err := filepath.EvalSymlinks(own); err == nil {
			own = followed
		}
		beside := filepath.Join(filepath.Dir(own), name)
		if found, err := exec.LookPath(beside); err == nil {
			return found, nil
		}
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fault.NotFound.Errorf("there is no binary %s beside this one or on the path; build it with: make build", name)
	}
	return filepath.Abs(found)
}
