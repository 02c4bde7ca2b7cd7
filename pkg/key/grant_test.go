package key_test

import (
	"testing"

	"coworking/pkg/fault"
	"coworking/pkg/key"

	"github.com/google/go-cmp/cmp"
)

func TestWhatAHolderMay(t *testing.T) {
	for name, c := range map[string]struct {
		scopes []key.Scope
		want   []bool // for each of Scopes
	}{
		"nothing":              {nil, []bool{false, false, false, false}},
		"read numbers":         {[]key.Scope{key.ReadReports}, []bool{true, false, false, false}},
		"send and read events": {[]key.Scope{key.WriteEvents, key.ReadReports}, []bool{true, false, true, false}},
		"everything":           {[]key.Scope{key.Admin}, []bool{true, true, true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []bool
			for _, scope := range key.Scopes() {
				got = append(got, key.Grant{Scopes: c.scopes}.May(scope))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhichSpacesAHolderSees(t *testing.T) {
	for name, c := range map[string]struct {
		spaces []string
		want   bool
	}{
		"all of them":    {nil, true},
		"this one":       {[]string{"soho", "berlin"}, true},
		"another":        {[]string{"soho"}, false},
		"none":           {[]string{}, false},
		"one of no name": {[]string{""}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (key.Grant{Spaces: c.spaces}).Sees("berlin"); got != c.want {
				t.Errorf("it is %v", got)
			}
		})
	}
}

func TestAScopeIsReadOrRefused(t *testing.T) {
	for _, scope := range key.Scopes() {
		if got, err := key.ParseScope(string(scope)); err != nil || got != scope {
			t.Errorf("%s: %s, %v", scope, got, err)
		}
	}
	_, err := key.ParseScope("reports")
	const want = `"reports" is no scope; there are reports:read, members:read, events:write, admin`
	if err == nil || err.Error() != want || fault.Of(err) != fault.Invalid {
		t.Errorf("%v", err)
	}
}
