package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

func TestTheCommandHasAServerAndTheLastWord(t *testing.T) {
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"sh", "-c", "echo $PGTEST_URL; exit 3"}, &stdout, &stderr)
	if code != 3 || stderr.Len() > 0 {
		t.Errorf("code %d, and it says %q", code, &stderr)
	}
	address := strings.TrimSpace(stdout.String())
	if _, err := pgx.ParseConfig(address); err != nil || address == "" {
		t.Errorf("the address is %q: %v", address, err)
	}
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		t.Errorf("%s still answers", address)
		_ = conn.Close(t.Context())
	}
}

func TestWhatCannotBeRunIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
		code int
	}{
		"nothing":         {nil, "usage: with command [argument]…\n", 2},
		"a signal":        {[]string{"sh", "-c", "kill -KILL $$"}, "", 1},
		"no such command": {[]string{"no-such-command"}, "with: exec: \"no-such-command\": executable file not found in $PATH\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), c.args, &stdout, &stderr)
			if diff := cmp.Diff(c.want, stderr.String()); diff != "" || code != c.code {
				t.Errorf("code %d\n%s", code, diff)
			}
		})
	}
}

// ready cancels once the command says something.
type ready struct{ cancel context.CancelFunc }

func (r ready) Write(p []byte) (int, error) {
	r.cancel()
	return len(p), nil
}

func TestTheCommandIsAskedToEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stderr bytes.Buffer
	code := run(ctx, []string{"sh", "-c", "trap 'exit 7' INT; echo ready; while :; do sleep 0.05; done"}, ready{cancel}, &stderr)
	if code != 7 {
		t.Errorf("code %d, and it says %q", code, &stderr)
	}
}
