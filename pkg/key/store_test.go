package key_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"
)

// nobody is an id that no test's key has: it has too many zeros.
const nobody = "000000000000"

// create makes a key in a database.
func create(t *testing.T, db pg.Querier, wanted key.Wanted) (key.Key, key.Secret) {
	t.Helper()
	made, secret, err := key.Create(t.Context(), db, wanted)
	if err != nil {
		t.Fatal(err)
	}
	return made, secret
}

// reader is a wish for a plain key.
var reader = key.Wanted{Name: "dashboard", Scopes: []key.Scope{key.ReadReports}}

func list(t *testing.T, db pg.Querier) []key.Key {
	t.Helper()
	keys, err := key.List(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestAKeyIsKeptAsItWasWanted(t *testing.T) {
	pool, soon := pgtest.New(t), time.Now().Add(time.Hour).Truncate(time.Microsecond)
	wanted := key.Wanted{
		Name: "Größe 🔑", Scopes: []key.Scope{key.ReadMembers, key.ReadReports, key.ReadMembers},
		Spaces: []string{"soho", "berlin", "soho"}, Expires: &soon,
	}
	narrow, secret := create(t, pool, wanted)
	wide, _ := create(t, pool, reader)

	id, hash, _ := key.Parse(string(secret))
	want := []key.Key{
		{
			ID: id, Hash: hash, Name: wanted.Name,
			Scopes: []key.Scope{key.ReadReports, key.ReadMembers}, Spaces: []string{"berlin", "soho"}, Expires: &soon,
		},
		{ID: wide.ID, Hash: wide.Hash, Name: reader.Name, Scopes: reader.Scopes},
	}
	got := list(t, pool)
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(key.Key{}, "Created")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]key.Key{narrow, wide}, got); diff != "" {
		t.Errorf("what was said of them is not what is kept:\n%s", diff)
	}
	if since := time.Since(got[0].Created); since < 0 || since > time.Minute {
		t.Errorf("it was made %s ago", since)
	}
	var dump string
	if err := pool.QueryRow(t.Context(), "select string_agg(k::text, ' ') from app.keys k").Scan(&dump); err != nil {
		t.Fatal(err)
	}
	if hidden := string(secret)[16:]; strings.Contains(dump, hidden) {
		t.Errorf("the secret is in the table: %s", dump)
	}
}

func TestAWishThatMakesNoSenseIsRefused(t *testing.T) {
	pool := pgtest.New(t)
	some := []key.Scope{key.Admin}
	for name, c := range map[string]struct {
		wanted  key.Wanted
		pointer string
	}{
		"no name":                   {key.Wanted{Scopes: some}, "/name"},
		"a name of 101 characters":  {key.Wanted{Name: strings.Repeat("ü", 101), Scopes: some}, "/name"},
		"a name that moves cursors": {key.Wanted{Name: "a\x1b[2J", Scopes: some}, "/name"},
		"no scope":                  {key.Wanted{Name: "a"}, "/scopes"},
		"a scope that is none":      {key.Wanted{Name: "a", Scopes: []key.Scope{key.Admin, "root"}}, "/scopes"},
		"a list of no space":        {key.Wanted{Name: "a", Scopes: some, Spaces: []string{}}, "/spaces"},
	} {
		t.Run(name, func(t *testing.T) {
			_, secret, err := key.Create(t.Context(), pool, c.wanted)
			if diff := cmp.Diff([]any{"", fault.Invalid, "invalid_value", c.pointer}, []any{string(secret), fault.Of(err), fault.Code(err), fault.Pointer(err)}); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
	if left := list(t, pool); len(left) > 0 {
		t.Errorf("%+v", left)
	}
}

func TestTheTableRefusesWhatTheCodeWould(t *testing.T) {
	pool := pgtest.New(t)
	const thirtyTwo = "decode(repeat('00', 32), 'hex')"
	for name, values := range map[string]string{
		"a hash that is too short":  "('a', '\\x00', 'n', '{admin}', null)",
		"a scope that is none":      "('a', " + thirtyTwo + ", 'n', '{admin,root}', null)",
		"a scope that is nothing":   "('a', " + thirtyTwo + ", 'n', '{null}', null)",
		"no scope":                  "('a', " + thirtyTwo + ", 'n', '{}', null)",
		"no name":                   "('a', " + thirtyTwo + ", '', '{admin}', null)",
		"a list of no space":        "('a', " + thirtyTwo + ", 'n', '{admin}', '{}')",
		"nothing but what is right": "",
	} {
		t.Run(name, func(t *testing.T) {
			want := "23514" // a check
			if values == "" {
				values, want = "('a', "+thirtyTwo+", 'n', '{admin}', '{soho}')", ""
			}
			_, err := pool.Exec(t.Context(), "insert into app.keys (id, hash, name, scopes, spaces) values "+values)
			if got := pg.SQLState(err); got != want || (err == nil) != (want == "") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAKeyIsRevokedOnce(t *testing.T) {
	pool := pgtest.New(t)
	made, _ := create(t, pool, reader)
	first, err := key.Revoke(t.Context(), pool, made.ID)
	if err != nil || first.Revoked == nil || first.State(time.Now()) != key.Revoked {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := key.Revoke(t.Context(), pool, made.ID)
	if diff := cmp.Diff(first, again); err != nil || diff != "" {
		t.Errorf("the second time: %v\n%s", err, diff)
	}
	_, err = key.Revoke(t.Context(), pool, nobody)
	if fault.Of(err) != fault.NotFound || fault.Code(err) != "key_not_found" || err.Error() != "there is no key "+nobody {
		t.Errorf("%v", err)
	}
}

func TestRotationMakesTheSameKeyAnew(t *testing.T) {
	pool, end := pgtest.New(t), time.Now().Add(48*time.Hour).Truncate(time.Microsecond)
	for name, c := range map[string]struct {
		expires *time.Time
		overlap time.Duration
		want    time.Duration // from now until the old one ends
	}{
		"one without an end":                   {nil, 24 * time.Hour, 24 * time.Hour},
		"one that ends after the overlap":      {&end, 24 * time.Hour, 24 * time.Hour},
		"one that ends before the overlap is":  {&end, 72 * time.Hour, 48 * time.Hour},
		"one that is to open nothing any more": {nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := key.Wanted{Name: name, Scopes: []key.Scope{key.ReadReports, key.WriteEvents}, Spaces: []string{"soho"}, Expires: c.expires}
			old, oldSecret := create(t, pool, wanted)
			fresh, secret, err := key.Rotate(t.Context(), pool, old.ID, c.overlap)
			if err != nil {
				t.Fatal(err)
			}
			id, hash, _ := key.Parse(string(secret))
			want := key.Key{ID: id, Hash: hash, Name: name, Scopes: wanted.Scopes, Spaces: wanted.Spaces, Expires: c.expires}
			if diff := cmp.Diff(want, fresh, cmpopts.IgnoreFields(key.Key{}, "Created")); diff != "" || secret == oldSecret {
				t.Error(diff)
			}
			for _, k := range list(t, pool) {
				if k.ID != old.ID {
					continue
				}
				if k.ReplacedBy == nil || *k.ReplacedBy != id || k.Expires == nil {
					t.Errorf("of the old one is kept: %+v", k)
				} else if left := time.Until(*k.Expires); left > c.want || left < c.want-time.Minute {
					t.Errorf("the old one lives for %s", left)
				}
			}
		})
	}
}

func TestOnlyAKeyThatOpensSomethingIsRotated(t *testing.T) {
	pool, past := pgtest.New(t), time.Now().Add(-time.Hour)
	revoked, _ := create(t, pool, reader)
	if _, err := key.Revoke(t.Context(), pool, revoked.ID); err != nil {
		t.Fatal(err)
	}
	expired, _ := create(t, pool, key.Wanted{Name: "old", Scopes: reader.Scopes, Expires: &past})
	replaced, _ := create(t, pool, reader)
	next, _, err := key.Rotate(t.Context(), pool, replaced.ID, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		id      string
		overlap time.Duration
		kind    fault.Kind
		want    string
	}{
		"one that is revoked":     {revoked.ID, 0, fault.Invalid, "key " + revoked.ID + " is revoked; make a new one instead"},
		"one that has expired":    {expired.ID, 0, fault.Invalid, "key " + expired.ID + " has expired; make a new one instead"},
		"one that was replaced":   {replaced.ID, 0, fault.Invalid, "key " + replaced.ID + " was replaced by " + next.ID + " before; rotate that one"},
		"one that is not there":   {nobody, 0, fault.NotFound, "there is no key " + nobody},
		"an overlap of less than": {next.ID, -time.Hour, fault.Invalid, "an overlap is no less than 0s, not -1h0m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			_, secret, err := key.Rotate(t.Context(), pool, c.id, c.overlap)
			if err == nil || secret != "" || fault.Of(err) != c.kind || err.Error() != c.want {
				t.Errorf("%v", err)
			}
		})
	}
	if keys := list(t, pool); len(keys) != 4 {
		t.Errorf("there are %d keys", len(keys))
	}
}

func TestAKeyIsRotatedOnceHoweverManyTry(t *testing.T) {
	pool := pgtest.New(t)
	old, _ := create(t, pool, reader)
	var group errgroup.Group
	errs := make([]error, 4)
	for i := range errs {
		group.Go(func() error {
			_, _, errs[i] = key.Rotate(t.Context(), pool, old.ID, time.Hour)
			return nil
		})
	}
	_ = group.Wait()
	refused := 0
	for _, err := range errs {
		if fault.Of(err) == fault.Invalid {
			refused++
		}
	}
	if refused != len(errs)-1 || len(list(t, pool)) != 2 {
		t.Errorf("%d were refused: %v", refused, errors.Join(errs...))
	}
}
