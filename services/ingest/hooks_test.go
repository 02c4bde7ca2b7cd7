package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coworking/pkg/fault"

	"github.com/google/go-cmp/cmp"
)

func TestSecretsOfHooks(t *testing.T) {
	cases := map[string]struct {
		text  string
		want  hookSecrets
		wrong string
	}{
		"none":                 {"", hookSecrets{}, ""},
		"two":                  {"kisi=a=b;c\n envoy=d==", hookSecrets{"kisi": "a=b;c", "envoy": "d=="}, ""},
		"one without a name":   {"kisi=hush =hush", nil, "the 2. of the secrets is not name=secret"},
		"one that is no more":  {"hush", nil, "the 1. of the secrets is not name=secret"},
		"one that is empty":    {"kisi=", nil, "the 1. of the secrets is not name=secret"},
		"two of the same name": {"kisi=hush kisi=hush", nil, "the 2. of the secrets has a name that another has"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got hookSecrets
			err := got.UnmarshalText([]byte(c.text))
			if c.wrong != "" {
				if err == nil || err.Error() != c.wrong {
					t.Errorf("%v", err)
				}
				return
			}
			if diff := cmp.Diff(map[string]string(c.want), map[string]string(got)); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if said := fmt.Sprintf("%v %+v %#v", hookSecrets{"kisi": "hush"}, hookSecrets{"kisi": "hush"}, hookSecrets{"kisi": "hush"}); said != "kisi kisi kisi" {
		t.Error("it tells a secret")
	}
}

// A hook that anybody could post to stops the service at its start.
func TestHooksAreReadAtTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.json")
	if err := os.WriteFile(path, []byte(`{"hooks":[{"vendor":"kisi","space":"soho"},{"vendor":"envoy","space":"soho","secret":"envoy"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := hookSecrets{"envoy": "hush"}
	cases := map[string]struct {
		flags hooksFlags
		open  bool
		want  int
		wrong string
	}{
		"no file":                {},
		"a file that is away":    {flags: hooksFlags{Hooks: path + "x"}, wrong: "reading the hooks file"},
		"a hook for everybody":   {flags: hooksFlags{Hooks: path, HookSecrets: secrets}, wrong: `hook "kisi": anybody could post to it`},
		"on loopback, a service": {flags: hooksFlags{Hooks: path, HookSecrets: secrets}, open: true, want: 2},
		"a secret that is away":  {flags: hooksFlags{Hooks: path}, open: true, wrong: `hook "envoy": there is no secret of the name "envoy"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			all, err := c.flags.read(c.open)
			switch {
			case c.wrong == "":
				if err != nil || len(all) != c.want {
					t.Errorf("%d hooks, %v", len(all), err)
				}
			case fault.Of(err) == fault.None || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "hush"):
				t.Errorf("%v", err)
			}
		})
	}
}
