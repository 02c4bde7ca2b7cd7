package key_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/key"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// counted is a database that counts what it is asked.
type counted struct {
	*pgxpool.Pool

	asked atomic.Int32
}

func (c *counted) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.asked.Add(1)
	return c.Pool.Query(ctx, sql, args...)
}

// watch is a clock that a test turns.
type watch struct {
	mu  sync.Mutex
	now time.Time
}

func (w *watch) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *watch) turn(by time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(by)
}

// door is where keys are shown.
type door struct {
	*testing.T

	db    *counted
	watch *watch
	keys  *key.Keys
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{T: t, db: &counted{Pool: pgtest.New(t)}, watch: &watch{now: time.Now()}}
	d.keys = key.NewKeys(d.db, d.watch.Now)
	t.Cleanup(d.keys.Close)
	return d
}

// show shows a key: what it opens, or why it does not.
func (d *door) show(secret key.Secret) (key.Grant, string) {
	d.Helper()
	grant, err := d.keys.Grant(d.Context(), string(secret))
	if err == nil {
		return grant, ""
	}
	refusal, ok := errors.AsType[*key.RefusedError](err)
	if !ok {
		d.Fatal(err)
	}
	const words = "this key is mistyped, unknown, expired or revoked"
	if err.Error() != words || fault.Of(err) != fault.Invalid || fault.Code(err) != "unauthenticated" {
		d.Errorf("%s: %s, %s, %v", refusal.Reason, fault.Of(err), fault.Code(err), err)
	}
	return grant, refusal.Reason
}

func TestAKeyOpensWhatItIsFor(t *testing.T) {
	d, soon := newDoor(t), time.Now().Add(time.Hour)
	wanted := key.Wanted{Name: "soho's", Scopes: []key.Scope{key.ReadReports, key.ReadMembers}, Spaces: []string{"soho"}, Expires: &soon}
	made, secret := create(t, d.db, wanted)
	for range 2 { // from the database, and from memory
		grant, why := d.show(secret)
		want := key.Grant{Holder: made.ID, Name: wanted.Name, Scopes: wanted.Scopes, Spaces: wanted.Spaces}
		if diff := cmp.Diff(want, grant); diff != "" || why != "" {
			t.Errorf("%s\n%s", why, diff)
		}
	}
	_, secret = create(t, d.db, reader)
	if grant, why := d.show(secret); why != "" || grant.Spaces != nil || !grant.Sees("anywhere") {
		t.Errorf("%s %+v", why, grant)
	}
}

func TestWhateverIsWrongWithAKeyIsSaidInTheSameWords(t *testing.T) {
	d := newDoor(t)
	now := d.watch.Now()
	_, active := create(t, d.db, reader)
	_, expired := create(t, d.db, key.Wanted{Name: "a", Scopes: reader.Scopes, Expires: &now})
	revoked, revokedSecret := create(t, d.db, key.Wanted{Name: "a", Scopes: reader.Scopes, Expires: &now})
	if _, err := key.Revoke(t.Context(), d.db, revoked.ID); err != nil {
		t.Fatal(err)
	}
	_, stranger, _ := newSecret(t)
	for name, c := range map[string]struct {
		secret key.Secret
		want   string
	}{
		"a key that holds":               {active, ""},
		"no key":                         {"", "malformed"},
		"a word":                         {"topsecret", "malformed"},
		"one that nobody made":           {stranger, "unknown"},
		"another's secret":               {active[:16] + stranger[16:], "wrong_secret"},
		"another's id":                   {stranger[:16] + active[16:], "unknown"},
		"one that expires now":           {expired, "expired"},
		"one that is revoked, too":       {revokedSecret, "revoked"},
		"a revoked id, another's secret": {revokedSecret[:16] + active[16:], "wrong_secret"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 { // from the database, and from memory
				if grant, why := d.show(c.secret); why != c.want || (why != "") != (grant.Holder == "") {
					t.Errorf("%q %+v", why, grant)
				}
			}
		})
	}
}

func TestAKeyExpiresAtOnceAndIsRevokedWithinTenSeconds(t *testing.T) {
	d := newDoor(t)
	soon := d.watch.Now().Add(5 * time.Second)
	_, short := create(t, d.db, key.Wanted{Name: "short", Scopes: reader.Scopes, Expires: &soon})
	long, secret := create(t, d.db, reader)
	stranger := key.Secret("cw_000000000000_") + secret[16:]
	for _, s := range []key.Secret{short, secret, stranger} {
		d.show(s)
	}
	if _, err := key.Revoke(t.Context(), d.db, long.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.db.Exec(t.Context(), "insert into app.keys (id, hash, name, scopes) select '000000000000', hash, name, scopes from app.keys where id = $1", long.ID); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		turn                  time.Duration
		short, long, stranger string
	}{
		{0, "", "", "unknown"},
		{5 * time.Second, "expired", "", "unknown"},
		{5*time.Second - 1, "expired", "", "unknown"},
		{1, "expired", "revoked", ""},
	} {
		d.watch.turn(step.turn)
		_, short := d.show(short)
		_, long := d.show(secret)
		_, strange := d.show(stranger)
		if diff := cmp.Diff([]string{step.short, step.long, step.stranger}, []string{short, long, strange}); diff != "" {
			t.Errorf("at %s:\n%s", step.turn, diff)
		}
	}
}

func TestWhatIsRememberedCostsNoQuestion(t *testing.T) {
	d := newDoor(t)
	_, secret := create(t, d.db, reader)
	_, stranger, _ := newSecret(t)
	d.db.asked.Store(0)
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() { d.show(secret) })
		group.Go(func() { d.show(stranger) })
		group.Go(func() { d.show("topsecret") })
		group.Go(func() { d.show(secret[:16] + stranger[16:]) })
	}
	group.Wait()
	d.keys.Close()
	// Two at a time may ask for the same key, and one writes that it is used.
	if asked := d.db.asked.Load(); asked < 3 || asked > 5 {
		t.Errorf("the database was asked %d times", asked)
	}
}

func TestAGuesserFillsNoMemory(t *testing.T) {
	d := newDoor(t)
	made, secret := create(t, d.db, reader)
	d.show(secret)
	if _, err := key.Revoke(t.Context(), d.db, made.ID); err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		_, stranger, _, err := key.New(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		d.show(stranger)
		if known, unknown := d.keys.Remembered(); known != 1 || unknown > 1024 {
			t.Fatalf("%d keys are remembered, and %d that there are not", known, unknown)
		}
	}
	if _, why := d.show(secret); why != "" {
		t.Errorf("a guesser made a key be forgotten: %s", why)
	}
}

func TestTheOldKeyGoesOnForTheOverlap(t *testing.T) {
	d := newDoor(t)
	old, oldSecret := create(t, d.db, reader)
	_, secret, err := key.Rotate(t.Context(), d.db, old.ID, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		turn       time.Duration
		old, fresh string
	}{
		{0, "", ""},
		{24*time.Hour - time.Minute, "", ""},
		{2 * time.Minute, "expired", ""},
	} {
		d.watch.turn(step.turn)
		_, old := d.show(oldSecret)
		_, fresh := d.show(secret)
		if old != step.old || fresh != step.fresh {
			t.Errorf("%s on: the old one %q, the new one %q", step.turn, old, fresh)
		}
	}
}

// lastUsed is when the only key was used, once all that is being written is.
func (d *door) lastUsed() *time.Time {
	d.Helper()
	d.keys.Close()
	return list(d.T, d.db)[0].LastUsed
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	d := newDoor(t)
	d.watch.now = d.watch.now.Truncate(time.Microsecond)
	made, secret := create(t, d.db, reader)
	_, stranger, _ := newSecret(t)
	d.show(key.Secret("cw_"+made.ID+"_") + stranger[16:])
	if used := d.lastUsed(); used != nil {
		t.Errorf("a wrong secret counts as use: %s", used)
	}
	start := d.watch.Now()
	for _, step := range []struct {
		turn, want time.Duration
	}{
		{0, 0},
		{5 * time.Second, 0},
		{45 * time.Second, 0}, // read again meanwhile
		{10 * time.Second, time.Minute},
		{time.Hour, time.Hour + time.Minute},
	} {
		d.watch.turn(step.turn)
		d.show(secret)
		if used := d.lastUsed(); used == nil || !used.Equal(start.Add(step.want)) {
			t.Errorf("after %s it says %v", step.turn, used)
		}
	}
}

func TestLastUseStopsNobody(t *testing.T) {
	d := newDoor(t)
	_, secret := create(t, d.db, reader)
	// Whoever writes waits for a lock that a reader does not need. It is the table's:
	// a writer that waited for a row would have the table already, and drop would wait
	// for the writer, who waits for drop.
	tx, err := d.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table app.keys in exclusive mode"); err != nil {
		t.Fatal(err)
	}
	unwritten := make(chan error, 1)
	d.keys.Unwritten = func(err error) { unwritten <- err }
	if _, why := d.show(secret); why != "" {
		t.Errorf("it is refused: %s", why)
	}
	if _, err := tx.Exec(t.Context(), "drop table app.keys"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-unwritten; fault.Of(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestWithoutADatabaseNobodyIsRefused(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // nobody is there now
	pool, err := pg.Open(t.Context(), pg.URL("postgres://ada@"+address+"/x"), pg.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	keys := key.NewKeys(pool, time.Now)
	defer keys.Close()
	_, secret, _ := newSecret(t)
	if _, err := keys.Grant(t.Context(), string(secret)); fault.Of(err) != fault.Unavailable {
		t.Errorf("a key: %v", err)
	}
	if _, err := keys.Grant(t.Context(), "topsecret"); fault.Code(err) != "unauthenticated" {
		t.Errorf("none: %v", err)
	}
	for name, call := range map[string]func() error{
		"create": func() error { _, _, err := key.Create(t.Context(), pool, reader); return err },
		"list":   func() error { _, err := key.List(t.Context(), pool); return err },
		"revoke": func() error { _, err := key.Revoke(t.Context(), pool, nobody); return err },
		"rotate": func() error { _, _, err := key.Rotate(t.Context(), pool, nobody, 0); return err },
	} {
		if err := call(); fault.Of(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAKeyInMemoryOutlivesTheDatabaseForAMoment(t *testing.T) {
	d := newDoor(t)
	_, secret := create(t, d.db, reader)
	d.show(secret)
	d.keys.Close()
	d.db.Close()
	if _, why := d.show(secret); why != "" {
		t.Error(why)
	}
	d.watch.turn(10 * time.Second)
	if _, err := d.keys.Grant(t.Context(), string(secret)); fault.Of(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestWhoeverWaitsForATurnLeavesWhenTold(t *testing.T) {
	d := newDoor(t)
	_, secret := create(t, d.db, reader)
	tx, err := d.db.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "lock table app.keys"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	errs := make(chan error, 3) // one more than may ask
	for range cap(errs) {
		group.Go(func() {
			_, err := d.keys.Grant(ctx, string(secret))
			errs <- err
		})
	}
	cancel()
	group.Wait()
	for range cap(errs) {
		if err := <-errs; fault.Of(err) != fault.Unavailable || !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, why := d.show(secret); why != "" {
		t.Errorf("afterwards: %s", why)
	}
}
