package legacy

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"coworking/pkg/pg"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/old_daily_usage.sql
var oldDailyUsageSQL string

//go:embed sql/old_user_visits.sql
var oldUserVisitsSQL string

// Reports is the names of the old system's two reports: the last part of their
// addresses.
var Reports = []string{"daily_usage", "user_visits"}

// Answers is what the old system would answer of the state that its database is in, to
// the byte, by the name of the report. It reads all tokens, as the old system does.
func Answers(ctx context.Context, database pg.URL) (map[string][]byte, error) {
	r, err := Read(ctx, database, time.UTC)
	if err != nil {
		return nil, err
	}
	defer r.Close(context.WithoutCancel(ctx))
	daily, err := r.answer(ctx, oldDailyUsageSQL, func(row pgx.CollectableRow, body []byte) ([]byte, error) {
		var date string
		var used int64
		err := row.Scan(&date, &used)
		body = append(appendText(body, date), ':')
		return strconv.AppendInt(body, used, 10), err
	})
	if err != nil {
		return nil, err
	}
	visits, err := r.answer(ctx, oldUserVisitsSQL, func(row pgx.CollectableRow, body []byte) ([]byte, error) {
		var user, joined string
		var visits int64
		err := row.Scan(&user, &joined, &visits)
		body = append(appendText(body, user), `:{"joined_at":`...)
		body = append(appendText(body, joined), `,"visits":`...)
		return append(strconv.AppendInt(body, visits, 10), '}'), err
	})
	if err != nil {
		return nil, err
	}
	return map[string][]byte{"daily_usage": daily, "user_visits": visits}, nil
}

// answer is one object, of a member a row, and the newline that ends it.
func (r *Reader) answer(ctx context.Context, sql string, member func(pgx.CollectableRow, []byte) ([]byte, error)) ([]byte, error) {
	rows, _ := r.tx.Query(ctx, sql) // an error comes with the rows
	defer rows.Close()
	body := []byte{'{'}
	for rows.Next() {
		if len(body) > 1 {
			body = append(body, ',')
		}
		var err error
		if body, err = member(rows, body); err != nil {
			return nil, r.fault(err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, r.fault(err)
	}
	return append(body, '}', '\n'), nil
}

// appendText writes a JSON string as the old system does: what is not printable ASCII
// is escaped.
func appendText(body []byte, text string) []byte {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		panic(err) // no text is refused
	}
	for _, r := range strings.TrimSuffix(quoted.String(), "\n") {
		if r <= '~' {
			body = append(body, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			body = fmt.Appendf(body, `\u%04x`, unit)
		}
	}
	return body
}
