package devpg

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"coworking/pkg/fault"
)

// account is who the server runs as: ourselves, or, where we are root, somebody
// who is not, because Postgres refuses to run as root.
type account struct {
	root     bool
	uid, gid uint32
}

func findAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{root: true, uid: uint32(uid), gid: uint32(gid)}, nil
		}
	}
	return account{}, fault.NotFound.Errorf("Postgres does not run as root, and there is no account postgres or nobody to run it as")
}

func (a account) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	if a.root {
		attributes.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attributes
}

// own gives a folder to the account.
func (a account) own(dir string) error {
	if !a.root {
		return nil
	}
	if err := os.Chown(dir, int(a.uid), int(a.gid)); err != nil {
		return fault.Internal.Errorf("the database's folder: %w", err)
	}
	return nil
}

// place is where the data really goes. The account must be able to get there: if a
// folder above is closed to it, as /root is, the data goes to /var/lib/coworking,
// and a link in its place leads there.
func (a account) place(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	if a.root {
		if dir, err = a.reachable(dir); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	return dir, a.own(dir)
}

// Real is where the data of a folder really is, for who wants to remove it.
func Real(dir string) string {
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		return target
	}
	return dir
}

func (a account) reachable(dir string) (string, error) {
	if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
		return linked(dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	if a.canEnter(filepath.Dir(dir)) {
		return dir, nil
	}
	sum := sha256.Sum256([]byte(dir))
	target := filepath.Join("/var/lib/coworking", hex.EncodeToString(sum[:8]))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	if err := os.Symlink(target, dir); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	return target, nil
}

// linked is where a link leads, whether or not anything is there.
func linked(dir string) (string, error) {
	target, err := os.Readlink(dir)
	if err != nil {
		return "", fault.Internal.Errorf("the database's folder: %w", err)
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(dir), target)
	}
	return target, nil
}

// canEnter says whether the account may pass through a folder and all above it.
func (a account) canEnter(dir string) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		owner, ok := info.Sys().(*syscall.Stat_t)
		bit := os.FileMode(0o001)
		if ok && owner.Uid == a.uid {
			bit = 0o100
		} else if ok && owner.Gid == a.gid {
			bit = 0o010
		}
		if info.Mode().Perm()&bit == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}
