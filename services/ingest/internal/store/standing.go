package store

import (
	"context"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// Standing is what lies in the database and waits for somebody.
type Standing struct {
	Letters  map[string]int64 // open dead letters by code, among the last 10,000
	Refiling int64            // space-days that are queued to be filed anew
	Equal    *bool            // what the last verification found; nil: there was none
	Verified *time.Time       // when it was done
}

// Standing looks, quickly however much there is.
func (s *Store) Standing(ctx context.Context) (Standing, error) {
	standing := Standing{Letters: map[string]int64{}}
	rows, err := s.pool.Query(ctx, countLetters)
	if err != nil {
		return standing, pg.Classify(err)
	}
	var (
		code  string
		count int64
	)
	if _, err = pgx.ForEachRow(rows, []any{&code, &count}, func() error {
		standing.Letters[code] = count
		return nil
	}); err != nil {
		return standing, pg.Classify(err)
	}
	err = s.pool.QueryRow(ctx, selectStanding).Scan(&standing.Refiling, &standing.Equal, &standing.Verified)
	return standing, pg.Classify(err)
}
