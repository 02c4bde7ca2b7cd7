// Package tests holds what no single module can say of itself: the walls between
// the rooms, the habits of the repository, and the system as its users meet it.
// Run it with -count=1: it reads files that the test cache does not watch.
package tests

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// walls says which rooms must not import what. Read it as the floor plan. A room
// is a folder; with /... also what lies below it.
var walls = []struct{ room, not, why string }{
	{"services/ingest/...", "coworking/services/query", "services meet in the stream and in the database"},
	{"services/query/...", "coworking/services/ingest", "services meet in the stream and in the database"},
	{"services/...", "coworking/cmd", "a service knows nobody who starts it"},
	{"services/...", "coworking/pkg/devpg", "a laptop's database is not a service's business"},
	{"services/...", "coworking/pkg/devbroker", "a laptop's broker is not a service's business"},
	{"services/...", "github.com/nats-io/nats-server", "the broker is another process"},
	{"pkg/...", "coworking/services", "services -> pkg -> migrations"},
	{"pkg/...", "coworking/cmd", "services -> pkg -> migrations"},
	{"migrations/...", "coworking/pkg", "services -> pkg -> migrations"},
	{"migrations/...", "coworking/services", "services -> pkg -> migrations"},
	{"migrations/...", "coworking/cmd", "services -> pkg -> migrations"},
	{"cmd/...", "coworking/services", "it starts the binaries that the cluster runs, and speaks their protocols"},
	{"tests/...", "coworking/services", "a black box has no inside"},
	{"bench/...", "coworking/services", "what is measured is the binary that is shipped"},

	{"services/ingest/internal/consume", "github.com/jackc/", "SQL lives in store"},
	{"services/ingest/internal/consume", "net/http", "the worker knows no HTTP"},
	{"services/ingest/internal/intake", "github.com/jackc/", "SQL lives in store"},
	{"services/ingest/internal/store", "github.com/nats-io/", "the store knows no stream"},
	{"services/ingest/internal/store", "net/http", "the store knows no HTTP"},
	{"services/query/internal/report", "github.com/labstack/", "a report does not know how it is served"},
	{"services/query/internal/report", "net/http", "a report does not know how it is served"},
	{"services/query/internal/legacy", "github.com/labstack/", "nor do the old ones"},
	{"services/query/internal/api", "github.com/jackc/", "the API asks reports, not the database"},
	{"pkg/stream", "coworking/pkg/event", "the stream does not know what events mean"},
	{"pkg/stream", "github.com/jackc/", "the stream knows no database"},
	{"pkg/pg", "github.com/nats-io/", "the database knows no stream"},
	{"pkg/boot", "coworking/pkg/event", "boot starts anything"},
}

// closed rooms import the standard library and what is named, nothing else.
var closed = []struct {
	room string
	but  []string
	why  string
}{
	{"pkg/fault", nil, "a vocabulary needs no library"},
	{"pkg/event", []string{"coworking/pkg/fault"}, "the domain knows no broker, database or HTTP"},
	{"pkg/calendar", []string{"coworking/pkg/fault"}, "a calendar is a pure function of what was said of a space"},
	{"pkg/slots", []string{"coworking/pkg/fault"}, "a format has one owner, who needs nobody"},
	{"pkg/checkins/internal/outbox", []string{"coworking/pkg/fault"}, "a log on disk knows no events"},
	{"migrations", nil, "both services embed it"},
	{"services/ingest/internal/visit", []string{"coworking/pkg/fault"}, "the fold is pure: no I/O, no clock"},
}

func TestWallsStand(t *testing.T) {
	t.Parallel()
	report(t, brokenWalls(repository(t)))
}

// A wall that cannot fail guards nothing: each is broken here once.
func TestBrokenWallsAreFound(t *testing.T) {
	t.Parallel()
	plan := fstest.MapFS{}
	for _, wall := range walls {
		folder := strings.TrimSuffix(wall.room, "/...")
		plan[folder+"/sound.go"] = source(`package room`)
	}
	for _, room := range closed {
		plan[room.room+"/sound.go"] = source(`package room; import "fmt"`)
	}
	if diff := cmp.Diff([]string(nil), brokenWalls(plan)); diff != "" {
		t.Fatalf("a sound plan was refused (-want +got):\n%s", diff)
	}

	for _, wall := range walls {
		t.Run(wall.room+" not "+wall.not, func(t *testing.T) {
			broken := fstest.MapFS{strings.TrimSuffix(wall.room, "/...") + "/broken.go": source(`package room; import "` + wall.not + `"`)}
			if got := brokenWalls(union(plan, broken)); len(got) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
	for _, room := range closed {
		t.Run(room.room+" is closed", func(t *testing.T) {
			broken := fstest.MapFS{room.room + "/broken.go": source(`package room; import "github.com/nobody/knows"`)}
			if got := brokenWalls(union(plan, broken)); len(got) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
	t.Run("a test room in production code", func(t *testing.T) {
		broken := fstest.MapFS{"pkg/pg/broken.go": source(`package pg; import "coworking/pkg/pgtest"`)}
		if got := brokenWalls(union(plan, broken)); len(got) == 0 {
			t.Error("nobody noticed")
		}
	})
	t.Run("a wall around a room that is gone", func(t *testing.T) {
		gone := union(plan, nil)
		delete(gone, "pkg/slots/sound.go")
		want := []string{"pkg/slots: the plan has a wall around it, but there is no such room"}
		if diff := cmp.Diff(want, brokenWalls(gone)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// brokenWalls is a sentence for each import that the floor plan forbids. Tests may
// use any library, but they too stay in their house.
func brokenWalls(repo fs.FS) []string {
	var broken []string
	files := goFiles(repo)
	for _, file := range files {
		for _, imported := range file.imports() {
			for _, wall := range walls {
				guarded := !file.test || strings.HasPrefix(wall.not, "coworking/")
				if guarded && within(file.path, wall.room) && strings.HasPrefix(imported, wall.not) {
					broken = append(broken, fmt.Sprintf("%s imports %s: %s", file.path, imported, wall.why))
				}
			}
			for _, room := range closed {
				if !file.test && within(file.path, room.room) && outside(imported, room.but) {
					broken = append(broken, fmt.Sprintf("%s imports %s: %s", file.path, imported, room.why))
				}
			}
			if testRoom(imported) && !file.test && path.Dir(file.path) != strings.TrimPrefix(imported, "coworking/") {
				broken = append(broken, fmt.Sprintf("%s imports %s: a test room stays out of the binaries", file.path, imported))
			}
		}
	}
	for _, room := range rooms() {
		if !anyWithin(files, room) {
			broken = append(broken, room+": the plan has a wall around it, but there is no such room")
		}
	}
	return broken
}

// within says whether a file stands in a room.
func within(file, room string) bool {
	if folder, below := strings.CutSuffix(room, "/..."); below {
		return strings.HasPrefix(file, folder+"/")
	}
	return path.Dir(file) == room
}

// outside says whether an import is neither the standard library's, whose paths
// begin with a word without a dot, nor one of those named.
func outside(imported string, but []string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") && first != "coworking" {
		return false
	}
	return !slices.Contains(but, imported)
}

// testRoom says whether a package of ours is there for tests alone.
func testRoom(imported string) bool {
	return strings.HasPrefix(imported, "coworking/pkg/") && strings.HasSuffix(imported, "test")
}

// rooms is every room that the plan names, once.
func rooms() []string {
	var names []string
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	for _, wall := range walls {
		add(wall.room)
	}
	for _, room := range closed {
		add(room.room)
	}
	return names
}

func anyWithin(files []goFile, room string) bool {
	for _, file := range files {
		if within(file.path, room) {
			return true
		}
	}
	return false
}

// report fails the test with one line for each finding.
func report(t *testing.T, findings []string) {
	t.Helper()
	for _, finding := range findings {
		t.Error(finding)
	}
}

func source(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

// union is a plan with more files in it.
func union(plan, more fstest.MapFS) fstest.MapFS {
	all := maps.Clone(plan)
	maps.Copy(all, more)
	return all
}
