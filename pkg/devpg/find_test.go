package devpg

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

// pretend makes a folder with programs that claim to be a Postgres.
func pretend(t *testing.T, major int) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + strconv.Itoa(major) + ".3 (a test)'\n"
	for _, program := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDataAreServedByWhatMadeThem(t *testing.T) {
	odd, old := pretend(t, 99), pretend(t, 14)
	for name, c := range map[string]struct {
		madeBy string
		binDir string
		want   Found
		kind   fault.Kind
	}{
		"by that version":                     {madeBy: "99\n", want: Found{odd, 99, "on the path"}},
		"by the one that is named":            {binDir: odd, want: Found{odd, 99, "named"}},
		"by the one that is named, again":     {madeBy: "99", binDir: odd, want: Found{odd, 99, "named"}},
		"not by another one that is named":    {madeBy: "16", binDir: odd, kind: fault.Invalid},
		"not by one that is too old":          {binDir: old, kind: fault.NotFound},
		"not by any, where that one has gone": {madeBy: "98", kind: fault.NotFound},
		"not by what is no Postgres":          {binDir: t.TempDir(), kind: fault.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", odd+":"+os.Getenv("PATH"))
			data := t.TempDir()
			if c.madeBy != "" {
				if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(c.madeBy), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			found, err := choose(t.Context(), Config{BinDir: c.binDir, Progress: io.Discard}, data)
			if diff := cmp.Diff(c.want, found); diff != "" || fault.Of(err) != c.kind {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// After a restart of the machine the number in postmaster.pid may be anybody's.
func TestANumberThatIsSomebodyElsesIsNoServer(t *testing.T) {
	stranger := exec.CommandContext(t.Context(), "sleep", "1000")
	account, err := findAccount()
	if err != nil {
		t.Fatal(err)
	}
	stranger.SysProcAttr = account.attributes() // Postgres looks only at processes of its own account
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = stranger.Process.Kill(), stranger.Wait() }()

	dir := t.TempDir()
	defer os.RemoveAll(Real(filepath.Join(dir, "pg")))
	c := Config{Dir: filepath.Join(dir, "pg"), Fast: true}
	s, err := Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	note := filepath.Join(s.dir, "data", "postmaster.pid")
	left, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	_, rest, _ := strings.Cut(string(left), "\n")
	if err := os.WriteFile(note, []byte(strconv.Itoa(stranger.Process.Pid)+"\n"+rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := account.own(note); err != nil {
		t.Fatal(err)
	}
	s, err = Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
}

// An npm package holds no symbolic links: it lists them.
func TestWhatIsFetchedIsWhole(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "postgres.tgz")
	pack(t, archive, map[string]string{
		"package/package.json":             `{}`,
		"package/native/bin/postgres":      "the server",
		"package/native/lib/libpq.so.5.17": "a library",
		"package/native/pg-symlinks.json": `[
			{"source": "native/lib/libpq.so.5.17", "target": "native/lib/libpq.so.5"},
			{"source": "native/lib/libpq.so.5.17", "target": "native/lib/more/libpq.so"},
			{"source": "/etc/passwd", "target": "native/lib/passwd"},
			{"source": "native/lib/libpq.so.5.17", "target": "../outside"}]`,
		"package/../../outside": "a way out",
		"elsewhere/file":        "not of this package",
	})
	tree := filepath.Join(dir, "tree")
	if err := unpack(archive, tree); err != nil {
		t.Fatal(err)
	}
	for range 2 { // once more changes nothing
		if err := restoreLinks(tree); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || path == archive {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		got[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(got, "tree/native/pg-symlinks.json")
	want := map[string]string{
		"tree/package.json":             `{}`,
		"tree/native/bin/postgres":      "the server",
		"tree/native/lib/libpq.so.5.17": "a library",
		"tree/native/lib/libpq.so.5":    "a library",
		"tree/native/lib/more/libpq.so": "a library",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(filepath.Join(tree, "native/bin/postgres")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf("the server cannot be run: %v, %v", info, err)
	}
}

func pack(t *testing.T, path string, files map[string]string) {
	t.Helper()
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	packed := tar.NewWriter(zipped)
	for name, content := range files {
		if err := packed.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := packed.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []io.Closer{packed, zipped} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWithoutPostgresThereIsOneLineThatHelps(t *testing.T) {
	for name, programs := range map[string][]string{
		"apt-get install -y postgresql":         {"apt-get"},
		"sudo dnf install -y postgresql-server": {"dnf"},
		"https://www.postgresql.org/download/":  nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("PATH", t.TempDir())
			for _, program := range programs {
				if err := os.WriteFile(filepath.Join(os.Getenv("PATH"), program), nil, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if got := advice(); !strings.HasSuffix(got, name) && runtime.GOOS != "darwin" || got == "" {
				t.Errorf("it says %q", got)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found := version(ctx, pretend(t, 17)); found != 0 {
		t.Errorf("a program that cannot be run is version %d", found)
	}
}
