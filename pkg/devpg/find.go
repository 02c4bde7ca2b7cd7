// Package devpg finds or fetches a Postgres and runs it: for a laptop, or for
// tests. It needs no Docker, works as root too, and leaves nothing behind when its
// process dies.
package devpg

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"coworking/pkg/fault"
)

// minVersion is the oldest Postgres whose SQL we speak.
const minVersion = 15

// Found is a Postgres on this machine.
type Found struct {
	BinDir  string // with postgres and initdb in it
	Version int    // major
	Origin  string // how it was found: "installed", "on the path" or "fetched"
}

// Find is the newest Postgres on this machine. The error is fault.NotFound and says
// how to get one.
func Find(ctx context.Context) (Found, error) {
	var dirs []Found
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", // Debian, Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", // Homebrew
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, dir := range matches {
			dirs = append(dirs, Found{BinDir: dir, Origin: "installed"})
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, Found{BinDir: filepath.Dir(target), Origin: "on the path"})
		}
	}
	if dir, err := cacheDir(); err == nil {
		dirs = append(dirs, Found{BinDir: filepath.Join(dir, "bin"), Origin: "fetched"})
	}
	best := Found{}
	for _, f := range dirs {
		if f.Version = version(ctx, f.BinDir); f.Version > best.Version {
			best = f
		}
	}
	if best.Version < minVersion {
		return Found{}, fault.NotFound.Errorf("no Postgres %d or newer on this machine; get one with: %s", minVersion, advice())
	}
	return best, nil
}

var majorVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// version is the major version of the Postgres in a folder, 0 if there is none.
func version(ctx context.Context, binDir string) int {
	for _, program := range []string{"postgres", "initdb"} {
		if _, err := os.Stat(filepath.Join(binDir, program)); err != nil {
			return 0
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(binDir, "postgres"), "--version").Output()
	if err != nil {
		return 0
	}
	match := majorVersion.FindSubmatch(out)
	if match == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(match[1])) // digits, by the pattern
	return n
}

// advice is the line that gets a Postgres on this kind of machine.
func advice() string {
	switch {
	case runtime.GOOS == "darwin":
		return "brew install postgresql@17"
	case have("apt-get") && os.Geteuid() == 0:
		return "apt-get install -y postgresql"
	case have("apt-get"):
		return "sudo apt-get install -y postgresql"
	case have("dnf"):
		return "sudo dnf install -y postgresql-server"
	}
	return "https://www.postgresql.org/download/"
}

func have(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// cacheDir is where a fetched Postgres is kept: readable for the account that a
// server started by root runs as.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/var/cache/coworking/postgres", nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "coworking", "postgres"), err
}

// lines is the last lines of a text, for an error that has to stay readable.
func lines(text []byte, most int) string {
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-most):], "\n")
}
