// Package devpg finds or fetches a Postgres and runs it: for a laptop, or for
// tests. It needs no Docker, works as root too, and leaves nothing behind when its
// process dies.
package devpg

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"

	"coworking/pkg/fault"
)

// minVersion is the oldest Postgres whose SQL we speak.
const minVersion = 15

// Found is a Postgres on this machine.
type Found struct {
	BinDir  string // with postgres and initdb in it
	Version int    // major
	Origin  string // how it was found: "named", "installed", "on the path" or "fetched"
}

// Find is the Postgres on this machine that new data is made with: the newest that
// is installed, else the one on the path, else the one that was fetched before. The
// error is fault.NotFound and says how to get one.
func Find(ctx context.Context) (Found, error) {
	all := findAll(ctx)
	if len(all) == 0 {
		return Found{}, fault.NotFound.Errorf("no Postgres %d or newer on this machine; get one with: %s", minVersion, advice())
	}
	return all[0], nil
}

// choose is the Postgres for a data folder: the one that was named, or one of the
// version that made the data, which no other can read, or the best there is. Where
// there is none it fetches one.
func choose(ctx context.Context, c Config, data string) (Found, error) {
	made := madeBy(data)
	if c.BinDir != "" {
		named := Found{BinDir: c.BinDir, Version: version(ctx, c.BinDir), Origin: "named"}
		switch {
		case named.Version < minVersion:
			return Found{}, fault.NotFound.Errorf("no Postgres %d or newer in %s", minVersion, c.BinDir)
		case made != 0 && made != named.Version:
			return Found{}, fault.Invalid.Errorf("%s was made by Postgres %d, and the one in %s is %d", data, made, c.BinDir, named.Version)
		}
		return named, nil
	}
	fits := func(f Found) bool { return made == 0 || made == f.Version }
	all := findAll(ctx)
	if at := slices.IndexFunc(all, fits); at >= 0 {
		return all[at], nil
	}
	if made == 0 || made == npmMajor {
		all = fetch(ctx, c.Progress)
		if at := slices.IndexFunc(all, fits); at >= 0 {
			return all[at], nil
		}
	}
	if made == 0 {
		return Find(ctx) // which says what to do
	}
	return Found{}, fault.NotFound.Errorf("%s was made by Postgres %d, which is not on this machine; install it again, or take another folder", data, made)
}

// findAll is every Postgres on this machine that we speak to, the best one first.
func findAll(ctx context.Context) []Found {
	var all []Found
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", // Debian, Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin", // Homebrew
		"/Applications/Postgres.app/Contents/Versions/*/bin",
	} {
		matches, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, dir := range matches {
			all = append(all, Found{BinDir: dir, Version: version(ctx, dir), Origin: "installed"})
		}
	}
	slices.SortStableFunc(all, func(a, b Found) int { return cmp.Compare(b.Version, a.Version) })
	if path, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			dir := filepath.Dir(target)
			all = append(all, Found{BinDir: dir, Version: version(ctx, dir), Origin: "on the path"})
		}
	}
	if dir, err := cacheDir(); err == nil {
		dir = filepath.Join(dir, "bin")
		all = append(all, Found{BinDir: dir, Version: version(ctx, dir), Origin: "fetched"})
	}
	return slices.DeleteFunc(all, func(f Found) bool { return f.Version < minVersion })
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
