package store

import (
	"context"
	"slices"
	"sync"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// names is the dictionary of words in memory: it only grows, so what it knows
// stays true. Zero is "not said". Safe for concurrent use.
type names struct {
	mu    sync.RWMutex
	ids   map[string]int32
	words map[int32]string
}

func newNames() *names {
	return &names{ids: map[string]int32{}, words: map[int32]string{}}
}

// id is the word's number, zero where it has none.
func (n *names) id(word string) int32 {
	if word == "" {
		return 0
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.ids[word]
}

// word is the number's word, "" for zero.
func (n *names) word(id int32) string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.words[id]
}

func (n *names) learn(id int32, word string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ids[word], n.words[id] = id, word
}

// load reads the whole dictionary: it holds kinds, devices and plans, not people.
func (n *names) load(ctx context.Context, db pg.Querier) error {
	return n.read(ctx, db, selectAllNames)
}

// missing adds those of the words to a list that have no number yet.
func (n *names) missing(list []string, words ...string) []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	for _, word := range words {
		if _, ok := n.ids[word]; !ok && word != "" {
			list = append(list, word)
		}
	}
	return list
}

// intern gives numbers to words that have none, in a short transaction of its own
// before the batch: the words of a batch that is rolled back do no harm.
func (n *names) intern(ctx context.Context, db database, missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	missing = slices.Compact(missing)
	args := pgx.StrictNamedArgs{"names": missing}
	if _, err := db.Exec(ctx, internNames, args); err != nil {
		return pg.Classify(err)
	}
	return n.read(ctx, db, selectNames, args)
}

func (n *names) read(ctx context.Context, db pg.Querier, sql string, args ...any) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return pg.Classify(err)
	}
	var (
		id   int32
		word string
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &word}, func() error {
		n.learn(id, word)
		return nil
	})
	return pg.Classify(err)
}
