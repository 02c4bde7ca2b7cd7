package legacy

import (
	"context"
	"math/rand/v2"
	"time"

	"coworking/cmd/coworking/internal/upload"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
)

// How long a follower waits before it tries again what was away.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// Follower brings an old database along that is still being written, and keeps up
// with it.
//
// A round reads one state of the database: the rows that were written since the state
// of the last complete round (see snapshot), and how many rows there are in all. That
// count has to be that of the rows that are known; where it is not, rows were deleted,
// and the ids say which. The first round, and the first of each new session, reads
// every row, and so does one whose count is short: another server may have taken
// over, with other transactions. What is read more often than needed says nothing.
//
// With a million tokens, on two cores that did other things besides: 1 ms for a round
// if nobody wrote anything, 75 ms if somebody did (both tables are read through by the
// server, and nearly nothing is sent), 0.6 s if a row was deleted, 1.6 s for every row
// of a new session, 30 s for the first round, which publishes them.
type Follower struct {
	Database  pg.URL
	Zone      *time.Location // of the old system's timestamps
	Space     string         // that the tokens opened
	Every     time.Duration  // from the beginning of a round to that of the next
	UntilIdle time.Duration  // ends after so long without a change; 0: does not end
	// MaxDeleted is how many rows may be gone in one round. More are taken for an
	// accident: what was taken back can not be told again under the same id.
	MaxDeleted int
	Publisher  *stream.Publisher
	Account    *upload.Upload
	Tell       func(Status) // is told at the end of each round, and now and then within one

	conn    *pgx.Conn
	last    snapshot // of the last complete round of this session
	asOf    time.Time
	known   *known
	later   map[string]laterToken
	pending []change
	events  int // of pending
	changes int // that were stored in this round
	status  Status
}

// Status is how far a follower is.
type Status struct {
	Rounds  int       // that were complete
	Rows    int64     // that were read in this round
	Behind  int64     // rows that are still to be read or told; of a complete round, those whose time has not come
	Fresh   time.Time // everything that was committed until then is in the stream; zero before the first complete round
	Changed time.Time // when the last change was stored
	Total   Counts    // changes since the beginning
	Away    error     // why there was no round
	Again   time.Duration
}

// Counts is how many rows changed, by what happened to them.
type Counts map[string]int64

// The kinds of changes.
const (
	usersNew      = "users new"
	usersChanged  = "users changed"
	usersDeleted  = "users deleted"
	tokensNew     = "tokens new"
	tokensUsed    = "tokens used"
	tokensChanged = "tokens changed otherwise"
	tokensDeleted = "tokens deleted"
)

// Kinds is the kinds of changes in the order in which they are told.
var Kinds = []string{usersNew, usersChanged, usersDeleted, tokensNew, tokensUsed, tokensChanged, tokensDeleted}

// laterToken is a row whose time is still to come, by our clock.
type laterToken struct {
	row     Token
	version uint32
	why     error
}

// Run follows until the context ends, or until the database was idle for as long as
// was wished. The first round's error ends it, except that the stream is away; later
// on, what is away is waited for. What is wrong with a row is in the account.
func (f *Follower) Run(ctx context.Context) error {
	f.reset()
	defer f.disconnect(context.WithoutCancel(ctx))
	pause := firstPause
	for {
		began := time.Now()
		err := f.once(ctx)
		wait := time.Until(began.Add(f.Every))
		switch {
		case ctx.Err() != nil:
			return f.stopped()
		case err == nil:
			pause = firstPause
			if f.UntilIdle > 0 && began.Sub(f.status.Changed) >= f.UntilIdle {
				return f.stopped()
			}
		case fault.Of(err) != fault.Unavailable, f.conn == nil && f.asOf.IsZero():
			return err
		default:
			// A round that broke off has told what it has told. The session may hold
			// half an answer, so another is begun, which reads everything.
			f.disconnect(ctx)
			wait = pause + rand.N(pause/2)
			f.status.Away, f.status.Again = err, wait
			f.Tell(f.status)
			f.status.Away = nil
			pause = min(2*pause, longestPause)
		}
		select {
		case <-ctx.Done():
			return f.stopped()
		case <-time.After(max(0, wait)):
		}
	}
}

// reset forgets everything.
func (f *Follower) reset() {
	f.known, f.later, f.status = newKnown(), map[string]laterToken{}, Status{Total: Counts{}}
}

// stopped takes what never became possible into the account.
func (f *Follower) stopped() error {
	for id, later := range f.later {
		f.Account.Refuse("tokens row "+id, later.why)
	}
	if f.status.Rounds == 0 {
		return fault.Unavailable.Errorf("stopped before everything was there: start it again")
	}
	return nil
}

func (f *Follower) disconnect(ctx context.Context) {
	if f.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_ = f.conn.Close(ctx) // nothing was written
	f.conn, f.last = nil, snapshot{}
}
