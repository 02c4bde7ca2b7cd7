package key

import (
	"context"
	"crypto/subtle"
	"sync"
	"time"

	"coworking/pkg/fault"
	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

const (
	// remembered is how long an answer holds, unless somebody says otherwise.
	remembered = 10 * time.Second
	// mostUnknown is how many ids that nobody has are remembered. Keys that exist
	// are as many as there are.
	mostUnknown = 1024
	// atOnce is how many look-ups may reach the database at a time: who tries one
	// key after the other takes no connections from reports.
	atOnce = 2
	// patience is how long a look-up may take, waiting for its turn included.
	patience = 5 * time.Second
	// touchEvery is how often it is written down that a key was used.
	touchEvery = time.Minute
)

// Keys looks keys up, and remembers what it found for a moment, so that a request
// costs no question to the database. Any number of goroutines may share it.
type Keys struct {
	// Remember is how long an answer holds: a key that is revoked opens nothing
	// after that. It is set before first use.
	Remember time.Duration
	// Unwritten is told why it could not be written down that a key was used, which
	// stops nobody. nil: nobody is told. It is set before first use.
	Unwritten func(error)

	db      pg.Querier
	now     func() time.Time
	asking  chan struct{} // a seat each look-up
	writing chan struct{} // a seat for who writes
	writers sync.WaitGroup

	mu      sync.Mutex
	known   map[string]*entry    // by id
	unknown map[string]time.Time // ids that nobody has, and until when that holds
}

// entry is a key as it was read.
type entry struct {
	key     Key
	until   time.Time // when it is to be read again
	touched time.Time // when it was last written down that it was used
}

// NewKeys looks keys up in a migrated database.
func NewKeys(db pg.Querier, now func() time.Time) *Keys {
	return &Keys{
		Remember: remembered,
		db:       db, now: now,
		asking: make(chan struct{}, atOnce), writing: make(chan struct{}, 1),
		known: map[string]*entry{}, unknown: map[string]time.Time{},
	}
}

// Close waits until all that is being written is written. Nothing may be asked any
// more.
func (k *Keys) Close() { k.writers.Wait() }

// RefusedError is the cause of an error for a key that opens nothing. Its words are the
// same whatever the reason is: the reason is for the log.
type RefusedError struct {
	ID     string // of the key; "" if the text is none
	Reason string // malformed, unknown, wrong_secret, expired, revoked
}

// Error is for the client.
func (*RefusedError) Error() string { return "this key is mistyped, unknown, expired or revoked" }

func refuse(id, reason string) error {
	return fault.Invalid.With("unauthenticated", "", "%w", &RefusedError{ID: id, Reason: reason})
}

// Grant is what the key of a text opens; its slices are shared, and not to be
// changed. An error is Invalid with the code unauthenticated, and a *RefusedError inside,
// or Unavailable where the database is and nothing is remembered of the key.
func (k *Keys) Grant(ctx context.Context, text string) (Grant, error) {
	id, hash, ok := Parse(text)
	if !ok {
		return Grant{}, refuse("", "malformed")
	}
	found, err := k.find(ctx, id)
	if err != nil {
		return Grant{}, err
	}
	if found == nil {
		return Grant{}, refuse(id, "unknown")
	}
	// Before anything else is said of the key: it is for its holder to know.
	if subtle.ConstantTimeCompare(hash, found.key.Hash) != 1 {
		return Grant{}, refuse(id, "wrong_secret")
	}
	if state := found.key.State(k.now()); state != Active {
		return Grant{}, refuse(id, string(state))
	}
	k.touch(ctx, found)
	return found.key.Grant(), nil
}

// find is the key of an id, nil if there is none.
func (k *Keys) find(ctx context.Context, id string) (*entry, error) {
	if found, sure := k.recall(id); sure {
		return found, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case k.asking <- struct{}{}:
		defer func() { <-k.asking }()
	case <-ctx.Done():
		return nil, fault.Unavailable.Errorf("waiting to look a key up: %w", ctx.Err())
	}
	if found, sure := k.recall(id); sure { // whoever was before us asked the same
		return found, nil
	}
	asked := k.now() // what is read is no older than this
	found, err := one(ctx, k.db, findSQL, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return nil, pg.Classify(err)
	}
	return k.remember(id, found, asked.Add(k.Remember)), nil
}

// recall is what is remembered of an id. It is not sure if that is nothing, or old.
func (k *Keys) recall(id string) (found *entry, sure bool) {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if found := k.known[id]; found != nil {
		return found, now.Before(found.until)
	}
	return nil, now.Before(k.unknown[id])
}

// remember keeps what was read until it is old.
func (k *Keys) remember(id string, found *Key, until time.Time) *entry {
	k.mu.Lock()
	defer k.mu.Unlock()
	if found == nil {
		delete(k.known, id)
		if len(k.unknown) >= mostUnknown {
			clear(k.unknown) // somebody guesses: they may as well start again
		}
		k.unknown[id] = until
		return nil
	}
	delete(k.unknown, id)
	fresh := &entry{key: *found, until: until}
	if found.LastUsed != nil {
		fresh.touched = *found.LastUsed
	}
	k.known[id] = fresh
	return fresh
}

// touch has it written down that a key is used, once a minute, beside the request
// and one key at a time: the next request tries again if that is not now.
func (k *Keys) touch(ctx context.Context, used *entry) {
	now := k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(used.touched) < touchEvery {
		return
	}
	select {
	case k.writing <- struct{}{}:
	default:
		return
	}
	used.touched = now
	ctx = context.WithoutCancel(ctx)
	k.writers.Go(func() {
		defer func() { <-k.writing }()
		if err := k.write(ctx, used.key.ID, now); err != nil && k.Unwritten != nil {
			k.Unwritten(err)
		}
	})
}

func (k *Keys) write(ctx context.Context, id string, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, err := k.db.Query(ctx, touchSQL, pgx.StrictNamedArgs{"id": id, "now": now})
	if err != nil {
		return pg.Classify(err)
	}
	rows.Close()
	return pg.Classify(rows.Err())
}
