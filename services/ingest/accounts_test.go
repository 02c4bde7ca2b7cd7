package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
)

func TestAccountsAreAddedAndNeverReplaced(t *testing.T) {
	dir := t.TempDir()
	steps := []struct { // one after the other
		flags      accountsFlags
		partitions int
		want       string
	}{
		{
			flags: accountsFlags{Space: []string{"berlin"}, Publisher: []string{"office=_,berlin"}}, partitions: 2,
			want: "user admin made, seed in DIR/seeds/admin.nk\n" +
				"user door made, seed in DIR/seeds/door.nk\n" +
				"user worker made, seed in DIR/seeds/worker.nk\n" +
				"user publisher-berlin made, seed in DIR/seeds/publisher-berlin.nk\n" +
				"user publisher-berlin may publish for berlin\n" +
				"user office made, seed in DIR/seeds/office.nk\n" +
				"user office may publish for _\n" +
				"user office may publish for berlin\n" +
				"DIR/accounts.json written\nDIR/accounts.conf written\nDIR/nats-server.conf written\n",
		},
		{flags: accountsFlags{Space: []string{"berlin"}}, partitions: 1, want: "nothing to do: every user is there\n"},
		{
			flags: accountsFlags{Publisher: []string{"office=soho"}}, partitions: 1,
			want: "user office may publish for soho\nDIR/accounts.json written\nDIR/accounts.conf written\n",
		},
		{
			flags: accountsFlags{Remove: []string{"publisher-berlin", "worker"}}, partitions: 1,
			want: "user publisher-berlin removed\nuser worker removed\n" +
				"user worker made, seed in DIR/seeds/worker.nk\nDIR/accounts.json written\nDIR/accounts.conf written\n",
		},
	}
	for _, step := range steps {
		before := contents(t, dir)
		var out bytes.Buffer
		step.flags.Accounts, step.flags.Out = true, dir
		c := setupCmd{Partitions: step.partitions, accountsFlags: step.flags}
		if err := c.Run(t.Context(), zap.NewNop(), &out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, strings.ReplaceAll(out.String(), dir, "DIR")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		after := contents(t, dir)
		for name, text := range before {
			removed := len(step.flags.Remove) > 0 && (name == "seeds/publisher-berlin.nk" || name == "seeds/worker.nk")
			if kept := after[name] == text; strings.HasPrefix(name, "seeds/") && kept == removed {
				t.Errorf("%s: kept %v, removed %v", name, kept, removed)
			}
		}
		for name, text := range after {
			if seed := strings.TrimSpace(text); strings.HasPrefix(name, "seeds/") && (strings.Contains(out.String(), seed) || strings.Contains(after["accounts.json"]+after["accounts.conf"], seed)) {
				t.Errorf("the seed in %s is told", name)
			}
		}
		if !strings.Contains(after["accounts.conf"], "$JS.ACK.CHECKINS.ingest-v1-1.>") {
			t.Error("the worker may not answer for the second partition")
		}
	}
}

// What the operator changed stays, and so does a seed that is not here any more.
func TestAccountsLeaveTheOperatorsFilesAlone(t *testing.T) {
	dir := t.TempDir()
	flags := accountsFlags{Out: dir, Space: []string{"berlin"}}
	if err := writeAccounts(flags, 1, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)["accounts.conf"]
	if err := os.WriteFile(filepath.Join(dir, "nats-server.conf"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "seeds", "publisher-berlin.nk")); err != nil {
		t.Fatal(err)
	}
	if err := writeAccounts(flags, 1, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	after := contents(t, dir)
	if _, made := after["seeds/publisher-berlin.nk"]; made || after["nats-server.conf"] != "mine" || after["accounts.conf"] != before {
		t.Errorf("%v", after)
	}
}

// An interrupted run has made seeds and told nobody.
func TestAccountsTakeUpTheSeedsOfAnInterruptedRun(t *testing.T) {
	dir := t.TempDir()
	flags := accountsFlags{Out: dir, Space: []string{"berlin"}}
	if err := writeAccounts(flags, 1, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	want := contents(t, dir)
	if err := os.Remove(filepath.Join(dir, "accounts.json")); err != nil {
		t.Fatal(err)
	}
	if err := writeAccounts(flags, 1, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, contents(t, dir)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAccountsRefuseWhatCannotBeMeant(t *testing.T) {
	broken := t.TempDir()
	for name, text := range map[string]string{"seeds/worker.nk": "SUsecret", "seeds/admin.nk": ""} {
		if err := os.MkdirAll(filepath.Join(broken, "seeds"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(broken, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		flags accountsFlags
		want  fault.Kind
	}{
		"a space that is none":                 {accountsFlags{Space: []string{"a.>"}}, fault.Invalid},
		"a space with a line of configuration": {accountsFlags{Space: []string{"a\"\n}"}}, fault.Invalid},
		"a publisher without a space":          {accountsFlags{Publisher: []string{"office"}}, fault.Invalid},
		"a publisher for every space":          {accountsFlags{Publisher: []string{"office=*"}}, fault.Invalid},
		"a publisher by the worker's name":     {accountsFlags{Publisher: []string{"worker=berlin"}}, fault.Invalid},
		"a publisher whose name leads away":    {accountsFlags{Publisher: []string{"../office=berlin"}}, fault.Invalid},
		"nobody of that name to remove":        {accountsFlags{Remove: []string{"office"}}, fault.NotFound},
		"a seed that is none":                  {accountsFlags{Out: broken}, fault.Invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.flags.Out == "" {
				c.flags.Out = t.TempDir()
			}
			err := writeAccounts(c.flags, 1, &bytes.Buffer{})
			if fault.Of(err) != c.want || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSetupRefusesFlagsThatDoNotGoTogether(t *testing.T) {
	cases := map[string]struct {
		flags setupCmd
		valid bool
	}{
		"a broker":                    {setupCmd{NATSURL: "nats://127.0.0.1"}, true},
		"no broker":                   {setupCmd{}, false},
		"accounts need no broker":     {setupCmd{accountsFlags: accountsFlags{Accounts: true, Out: "nats"}}, true},
		"accounts need a folder":      {setupCmd{accountsFlags: accountsFlags{Accounts: true}}, false},
		"spaces go with the accounts": {setupCmd{NATSURL: "nats://127.0.0.1", accountsFlags: accountsFlags{Space: []string{"berlin"}}}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := c.flags.Validate(); (err == nil) != c.valid {
				t.Errorf("%v", err)
			}
		})
	}
}

// contents is every file of a folder. It fails where others could read a seed.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if strings.HasPrefix(name, "seeds/") && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
