package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"coworking/migrations"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestMigrateSaysWhatItDid(t *testing.T) {
	m := &migrateCmd{DatabaseURL: pg.URL(pgtest.Empty(t)), Timeout: time.Minute}
	latest := migrations.Latest()
	var up strings.Builder
	for v := range latest {
		fmt.Fprintf(&up, "version %d → %d\n", v, v+1)
	}
	for _, step := range []struct {
		name  string
		run   func(context.Context, io.Writer, *migrateCmd) error
		out   string
		wrong string
	}{
		{"nothing there yet", (&migrateStatusCmd{}).Run, fmt.Sprintf("schema: version 0, this build needs %d\n", latest), "the database has no schema yet; run: ingest migrate up"},
		{"all of it", (&migrateUpCmd{}).Run, up.String(), ""},
		{"all of it again", (&migrateUpCmd{}).Run, fmt.Sprintf("nothing to do: the schema is at version %d\n", latest), ""},
		{"it is there", (&migrateStatusCmd{}).Run, fmt.Sprintf("schema: version %d, this build needs %d\n", latest, latest), ""},
		{"not meant", (&migrateDownCmd{Steps: 1}).Run, "", "this drops tables and what is in them; say --yes if that is meant"},
		{"no step", (&migrateDownCmd{Yes: true}).Run, "", "--steps is 0; it says how many changes to take back, 1 or more"},
		{"one step back", (&migrateDownCmd{Steps: 1, Yes: true}).Run, fmt.Sprintf("version %d → %d\nthe schema is at version %d\n", latest, latest-1, latest-1), ""},
		{"one behind", (&migrateStatusCmd{}).Run, fmt.Sprintf("schema: version %d, this build needs %d\n", latest-1, latest), fmt.Sprintf("the schema is at version %d, this build needs %d; run: ingest migrate up", latest-1, latest)},
		{"one step up", (&migrateUpCmd{}).Run, fmt.Sprintf("version %d → %d\n", latest-1, latest), ""},
		{"the version", func(_ context.Context, out io.Writer, _ *migrateCmd) error { return (&migrateVersionCmd{}).Run(out) }, fmt.Sprintf("%d\n", latest), ""},
	} {
		var out bytes.Buffer
		wrong := ""
		if err := step.run(t.Context(), &out, m); err != nil {
			wrong = err.Error()
		}
		if diff := cmp.Diff([]string{step.out, step.wrong}, []string{out.String(), wrong}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}
