package devpg

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"coworking/pkg/fault"
)

// npmVersion is the build of Postgres that is fetched where npm is at hand, and
// npmMajor its major version.
const (
	npmVersion = "17.10.0-beta.17"
	npmMajor   = 17
)

// cacheDir is where a fetched Postgres is kept: readable for the account that a
// server started by root runs as.
func cacheDir() (string, error) {
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return filepath.Join("/var/cache/coworking/postgres", npmVersion), nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "coworking", "postgres", npmVersion), err
}

// fetch gets a Postgres to where findAll finds it, and gives what is there then: a
// prebuilt one through npm, or the system's own as root on Debian. What it does is
// said on progress.
func fetch(ctx context.Context, progress io.Writer) []Found {
	for _, way := range []struct {
		possible bool
		fetch    func(context.Context, io.Writer) error
	}{
		{have("npm"), fetchFromNPM},
		{have("apt-get") && os.Geteuid() == 0, fetchFromAPT},
	} {
		if !way.possible {
			continue
		}
		if err := way.fetch(ctx, progress); err != nil {
			fmt.Fprintln(progress, "that did not work:", err)
			continue
		}
		if all := findAll(ctx); len(all) > 0 {
			return all
		}
	}
	return nil
}

// fetchFromNPM unpacks a prebuilt Postgres from its npm package.
func fetchFromNPM(ctx context.Context, progress io.Writer) error {
	target, err := cacheDir()
	if err != nil {
		return fault.NotFound.Errorf("no place for a Postgres: %w", err)
	}
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	name := fmt.Sprintf("@embedded-postgres/%s-%s@%s", runtime.GOOS, arch, npmVersion)
	fmt.Fprintln(progress, "no Postgres here yet: fetching", name)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fault.Internal.Errorf("fetching Postgres: %w", err)
	}
	// Beside the target, so that the finished tree moves there in one step.
	scratch, err := os.MkdirTemp(filepath.Dir(target), "fetch-")
	if err != nil {
		return fault.Internal.Errorf("fetching Postgres: %w", err)
	}
	defer os.RemoveAll(scratch)
	pack := exec.CommandContext(ctx, "npm", "pack", "--silent", name)
	pack.Dir = scratch
	out, err := pack.Output()
	if err != nil {
		return fault.Unavailable.Errorf("npm pack %s: %w", name, err)
	}
	tree := filepath.Join(scratch, "tree")
	if err := unpack(filepath.Join(scratch, filepath.Base(strings.TrimSpace(string(out)))), tree); err != nil {
		return err
	}
	if err := restoreLinks(tree); err != nil {
		return err
	}
	err = os.Rename(filepath.Join(tree, "native"), target)
	if err != nil && version(ctx, filepath.Join(target, "bin")) == 0 { // else another process was faster
		return fault.Internal.Errorf("fetching Postgres: %w", err)
	}
	return nil
}

// unpack writes the files of an npm package, whose names begin with package/.
func unpack(archive, target string) error {
	file, err := os.Open(archive)
	if err != nil {
		return fault.Internal.Errorf("unpacking Postgres: %w", err)
	}
	defer file.Close()
	zipped, err := gzip.NewReader(file)
	if err != nil {
		return fault.Internal.Errorf("unpacking Postgres: %w", err)
	}
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.Internal.Errorf("unpacking Postgres: %w", err)
		}
		name, ok := strings.CutPrefix(header.Name, "package/")
		if !ok || !filepath.IsLocal(name) || header.Typeflag != tar.TypeReg {
			continue
		}
		if err := writeFile(filepath.Join(target, name), header, files); err != nil {
			return fault.Internal.Errorf("unpacking Postgres: %w", err)
		}
	}
}

func writeFile(path string, header *tar.Header, content io.Reader) error {
	mode := os.FileMode(0o644)
	if header.FileInfo().Mode()&0o111 != 0 || filepath.Base(filepath.Dir(path)) == "bin" {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// restoreLinks makes the symbolic links that an npm package cannot hold; it lists
// them in native/pg-symlinks.json.
func restoreLinks(tree string) error {
	list, err := os.ReadFile(filepath.Join(tree, "native", "pg-symlinks.json"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var links []struct {
		Source string `json:"source"`
		Target string `json:"target"`
	}
	if err == nil {
		err = json.Unmarshal(list, &links)
	}
	for _, l := range links {
		if err == nil && filepath.IsLocal(l.Source) && filepath.IsLocal(l.Target) {
			err = link(tree, l.Source, l.Target)
		}
	}
	if err != nil {
		return fault.Internal.Errorf("unpacking Postgres: %w", err)
	}
	return nil
}

func link(tree, source, target string) error {
	path := filepath.Join(tree, target)
	relative, err := filepath.Rel(filepath.Dir(target), source)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.Symlink(relative, path); !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// fetchFromAPT installs Debian's Postgres, without a cluster of its own running.
func fetchFromAPT(ctx context.Context, progress io.Writer) error {
	fmt.Fprintln(progress, "no Postgres here yet: apt-get install postgresql")
	const config = "/etc/postgresql-common/createcluster.conf"
	if _, err := os.Stat(config); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(config), 0o755); err != nil {
			return fault.Internal.Errorf("installing Postgres: %w", err)
		}
		if err := os.WriteFile(config, []byte("create_main_cluster = false\n"), 0o644); err != nil {
			return fault.Internal.Errorf("installing Postgres: %w", err)
		}
	}
	for _, args := range [][]string{
		{"update", "-qq"},
		{"install", "-y", "-qq", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold", "postgresql"},
	} {
		install := exec.CommandContext(ctx, "apt-get", args...)
		install.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := install.CombinedOutput(); err != nil {
			return fault.Unavailable.Errorf("apt-get %s: %w\n%s", args[0], err, lines(out, 5))
		}
	}
	return nil
}

// lines is the last lines of a text, for an error that has to stay readable.
func lines(text []byte, most int) string {
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-most):], "\n")
}
