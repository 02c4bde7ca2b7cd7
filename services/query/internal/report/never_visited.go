package report

import (
	"context"
	_ "embed"
	"math"
	"time"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

// NeverVisited is who joined and never came.
var NeverVisited = define("never_visited", Definition{
	Doc:      "Active members who never had a visit, those who joined last first.",
	Personal: true,
	Counts: []string{
		"Everybody counts whom no event says to be inactive, and who has had no visit up to now: in any space, or in those that are asked for.",
		"tokens_issued is every one-time token they were ever handed in these spaces: who was, and never used one, may have stood before a locked door.",
	},
	Leaves: []string{
		"It is about all time, whatever range is asked for.",
		"A key of some spaces sees those members only who were handed a token in one of them: it knows nobody else.",
	},
	Reads:   "What is known of members, when each visit of every member began, and tokens.",
	Example: "",
}, neverVisited)

type neverVisitedParams struct {
	Present
	Paged
}

type neverVisitedRow struct {
	Member       string     `json:"member" doc:"Who."`
	JoinedAt     *time.Time `json:"joined_at" doc:"When they joined; null if nobody said."`
	TokensIssued int64      `json:"tokens_issued" unit:"tokens" doc:"One-time tokens that they were handed."`

	number int32
}

type neverVisitedTotals struct {
	Members      int64 `json:"members" unit:"members" doc:"Members who never came, on all pages."`
	TokensIssued int64 `json:"tokens_issued"`
}

//go:embed member_tokens.sql
var memberTokensSQL string

func neverVisited(ctx context.Context, s *scope, _ neverVisitedParams) (counted[neverVisitedRow, neverVisitedTotals], error) {
	answer := counted[neverVisitedRow, neverVisitedTotals]{}
	annals, err := s.annals(ctx, false)
	if err != nil {
		return answer, err
	}
	came := annals.everybody()
	members, err := s.everybody(ctx)
	if err != nil {
		return answer, err
	}
	tokens, err := s.tokensIssued(ctx, members, func(number int32) bool { return !came.has(number) })
	if err != nil {
		return answer, err
	}
	for number, m := range members {
		inactive := m.active != nil && !*m.active
		unknown := s.question.Visible != nil && tokens[number] == 0
		if inactive || unknown || came.has(number) {
			continue
		}
		row := neverVisitedRow{Member: m.name, TokensIssued: tokens[number], number: number}
		if m.joined != nil {
			at := time.UnixMicro(*m.joined).UTC()
			row.JoinedAt = &at
		}
		answer.rows = append(answer.rows, row)
		answer.totals.TokensIssued += row.TokensIssued
	}
	answer.totals.Members = int64(len(answer.rows))
	answer.rows, answer.next = page(s, answer.rows, func(r *neverVisitedRow) rowPlace {
		if r.JoinedAt == nil {
			return rowPlace{math.MaxFloat64, r.number}
		}
		return rowPlace{-float64(r.JoinedAt.UnixMicro()), r.number}
	})
	return answer, nil
}

// tokensIssued is how many tokens some of the members were handed in the spaces, up to
// asOf. Who was handed none is not in it.
func (s *scope) tokensIssued(ctx context.Context, members map[int32]member, asked func(number int32) bool) (map[int32]int64, error) {
	var numbers []int32
	for number := range members {
		if asked(number) {
			numbers = append(numbers, number)
		}
	}
	rows, err := s.db.Query(ctx, memberTokensSQL, pgx.StrictNamedArgs{
		"members": numbers, "spaces": s.ids(), "before": time.UnixMicro(s.asOf + 1),
	})
	if err != nil {
		return nil, pg.Classify(err)
	}
	issued := map[int32]int64{}
	var member int32
	var tokens int64
	_, err = pgx.ForEachRow(rows, []any{&member, &tokens}, func() error {
		issued[member] = tokens
		return nil
	})
	return issued, pg.Classify(err)
}
