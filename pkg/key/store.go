package key

import (
	"context"
	"crypto/rand"
	_ "embed"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

var (
	//go:embed find.sql
	findSQL string
	//go:embed list.sql
	listSQL string
	//go:embed insert.sql
	insertSQL string
	//go:embed revoke.sql
	revokeSQL string
	//go:embed rotate.sql
	rotateSQL string
	//go:embed touch.sql
	touchSQL string
)

// maxName is how long a key's name may be, in characters.
const maxName = 100

// State says whether a key opens anything.
type State string

// The states. A revoked key is that even if it has expired since.
const (
	Active  State = "active"
	Expired State = "expired"
	Revoked State = "revoked"
)

// Key is what is kept of a key.
type Key struct {
	ID         string     `json:"id"`
	Hash       []byte     `json:"-"` // SHA-256 of its secret
	Name       string     `json:"name"`
	Scopes     []Scope    `json:"scopes"`
	Spaces     []string   `json:"spaces"` // nil: every space, also those to come
	Created    time.Time  `json:"created"`
	Expires    *time.Time `json:"expires"`     // nil: never
	Revoked    *time.Time `json:"revoked"`     // nil: it is not
	ReplacedBy *string    `json:"replaced_by"` // the id of what rotation made in its place
	LastUsed   *time.Time `json:"last_used"`   // to the minute; nil: never
}

// State says whether the key opens anything at an instant.
func (k Key) State(now time.Time) State {
	switch {
	case k.Revoked != nil:
		return Revoked
	case k.Expires != nil && !now.Before(*k.Expires):
		return Expired
	default:
		return Active
	}
}

// Grant is what the key opens.
func (k Key) Grant() Grant {
	return Grant{Holder: k.ID, Name: k.Name, Scopes: k.Scopes, Spaces: k.Spaces}
}

// Wanted is a key to be made.
type Wanted struct {
	Name    string // 1 to 100 characters, for people
	Scopes  []Scope
	Spaces  []string   // nil: every space, also those to come
	Expires *time.Time // nil: never
}

// check says what is wrong with a wish.
func (w Wanted) check() error {
	if length := utf8.RuneCountInString(w.Name); length == 0 || length > maxName {
		return fault.Invalid.With("invalid_value", "/name", "a key's name has 1 to %d characters, not %d", maxName, length)
	}
	for _, r := range w.Name {
		if !unicode.IsPrint(r) { // it is shown on terminals; a broken rune is U+FFFD, a sign
			return fault.Invalid.With("invalid_value", "/name", "a key's name has a character that cannot be printed: %q", w.Name)
		}
	}
	if len(w.Scopes) == 0 {
		return fault.Invalid.With("invalid_value", "/scopes", "a key needs a scope, one or more of %s", Join(Scopes()))
	}
	for _, scope := range w.Scopes {
		if _, err := ParseScope(string(scope)); err != nil {
			return err
		}
	}
	if w.Spaces != nil && len(w.Spaces) == 0 {
		return fault.Invalid.With("invalid_value", "/spaces", "a key of no space opens nothing; leave spaces out for all of them")
	}
	return nil
}

// scopes is each scope once, in the order of Scopes.
func (w Wanted) scopes() []Scope {
	return slices.DeleteFunc(Scopes(), func(s Scope) bool { return !slices.Contains(w.Scopes, s) })
}

// spaces is each space once, sorted; nil stays nil.
func (w Wanted) spaces() []string {
	return slices.Compact(slices.Sorted(slices.Values(w.Spaces)))
}

// Create makes a key. Its text is nowhere but in what is returned. An error is
// Invalid with a pointer to the field at fault, or what pg.Classify makes of it.
func Create(ctx context.Context, db pg.Querier, wanted Wanted) (Key, Secret, error) {
	if err := wanted.check(); err != nil {
		return Key{}, "", err
	}
	id, secret, hash, err := New(rand.Reader)
	if err != nil {
		return Key{}, "", err
	}
	made, err := one(ctx, db, insertSQL, pgx.StrictNamedArgs{
		"id": id, "hash": hash, "name": wanted.Name, "scopes": wanted.scopes(), "spaces": wanted.spaces(), "expires": wanted.Expires,
	})
	if err != nil {
		return Key{}, "", pg.Classify(err)
	}
	return *made, secret, nil
}

// List is every key there ever was, the oldest first.
func List(ctx context.Context, db pg.Querier) ([]Key, error) {
	rows, err := db.Query(ctx, listSQL)
	if err != nil {
		return nil, pg.Classify(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Key])
	return keys, pg.Classify(err)
}

// Revoke ends a key for good; that it was revoked before is no error. NotFound if
// there is none of that id.
func Revoke(ctx context.Context, db pg.Querier, id string) (Key, error) {
	revoked, err := one(ctx, db, revokeSQL, pgx.StrictNamedArgs{"id": id})
	switch {
	case err != nil:
		return Key{}, pg.Classify(err)
	case revoked == nil:
		return Key{}, notFound(id)
	}
	return *revoked, nil
}

// Rotate makes a key with the name, scopes, spaces and expiry of another, which goes
// on for the overlap only. NotFound if there is no key of that id, Invalid if it
// opens nothing any more or was replaced before.
func Rotate(ctx context.Context, db pg.Querier, id string, overlap time.Duration) (Key, Secret, error) {
	if overlap < 0 {
		return Key{}, "", fault.Invalid.With("invalid_value", "/overlap", "an overlap is no less than 0s, not %s", overlap)
	}
	fresh, secret, hash, err := New(rand.Reader)
	if err != nil {
		return Key{}, "", err
	}
	made, err := one(ctx, db, rotateSQL, pgx.StrictNamedArgs{"old": id, "id": fresh, "hash": hash, "overlap": overlap})
	switch {
	case err != nil:
		return Key{}, "", pg.Classify(err)
	case made == nil:
		return Key{}, "", notRotated(ctx, db, id)
	}
	return *made, secret, nil
}

// notRotated says why.
func notRotated(ctx context.Context, db pg.Querier, id string) error {
	old, err := one(ctx, db, findSQL, pgx.StrictNamedArgs{"id": id})
	switch {
	case err != nil:
		return pg.Classify(err)
	case old == nil:
		return notFound(id)
	case old.Revoked != nil:
		return fault.Invalid.With("key_ended", "", "key %s is revoked; make a new one instead", id)
	case old.ReplacedBy != nil:
		return fault.Invalid.With("key_ended", "", "key %s was replaced by %s before; rotate that one", id, *old.ReplacedBy)
	default:
		return fault.Invalid.With("key_ended", "", "key %s has expired; make a new one instead", id)
	}
}

func notFound(id string) error {
	return fault.NotFound.With("key_not_found", "", "there is no key %s", id)
}

// one is the key that a statement returns, nil if there is none.
func one(ctx context.Context, db pg.Querier, sql string, args pgx.StrictNamedArgs) (*Key, error) {
	rows, err := db.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToAddrOfStructByPos[Key])
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}
