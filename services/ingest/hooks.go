package main

import (
	"maps"
	"os"
	"slices"
	"strings"

	"coworking/pkg/fault"
	"coworking/services/ingest/internal/intake/hooks"
)

// hooksFlags is what other systems may post in their own words.
type hooksFlags struct {
	Hooks       string      `type:"path" env:"HOOKS_FILE" placeholder:"FILE" help:"What door and booking systems may post to /v1/hooks/<name>, as JSON; docs/adapters.md says how."`
	HookSecrets hookSecrets `env:"HOOK_SECRETS" placeholder:"NAME=SECRET" help:"The secrets that the hooks sign with, by the names that the hooks file has for them: several with a blank or a new line between them. Give it in the environment: a command line is seen by everybody on the machine."`
}

// hookSecrets is secrets by name. It prints as the names.
type hookSecrets map[string]string

// UnmarshalText reads kisi=… envoy=…; what is wrong is told by its place, since it
// may be a secret.
func (s *hookSecrets) UnmarshalText(text []byte) error {
	*s = hookSecrets{}
	for i, pair := range strings.Fields(string(text)) {
		name, secret, _ := strings.Cut(pair, "=")
		if name == "" || secret == "" {
			return fault.Invalid.Errorf("the %d. of the secrets is not name=secret", i+1)
		}
		if _, twice := (*s)[name]; twice {
			return fault.Invalid.Errorf("the %d. of the secrets has a name that another has", i+1)
		}
		(*s)[name] = secret
	}
	return nil
}

// String is the names.
func (s hookSecrets) String() string { return strings.Join(slices.Sorted(maps.Keys(s)), " ") }

// GoString is String: %#v tells no more than %v.
func (s hookSecrets) GoString() string { return s.String() }

// read is the hooks there are; none, without a file. open says that nobody but this
// machine can post.
func (f *hooksFlags) read(open bool) ([]hooks.Hook, error) {
	if f.Hooks == "" {
		return nil, nil
	}
	file, err := os.ReadFile(f.Hooks)
	if err != nil {
		return nil, fault.Invalid.Errorf("reading the hooks file: %w", err)
	}
	return hooks.Read(file, hooks.Options{
		Secret: func(name string) (string, bool) { secret, known := f.HookSecrets[name]; return secret, known },
		Open:   open,
	})
}
