package reportcard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/stream"
)

// File is the records of events that nobody has stored yet: one a line, a batch as a JSON
// array, or a single one. They are judged as strictly as the HTTP door would at now.
func File(body []byte, now time.Time) []Record {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	trimmed := bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(trimmed, []byte("[")):
		return batch(trimmed, now)
	case bytes.HasPrefix(trimmed, []byte("{")) && json.Valid(trimmed):
		return []Record{unstored(trimmed, now, "the event")}
	default:
		return lines(body, now)
	}
}

func batch(body []byte, now time.Time) []Record {
	bodies, err := event.SplitBatch(body, math.MaxInt)
	if err != nil {
		return []Record{{Place: "the batch", Refused: err}}
	}
	records := make([]Record, len(bodies))
	for i, body := range bodies {
		records[i] = unstored(body, now, fmt.Sprintf("event %d", i+1))
	}
	return records
}

func lines(body []byte, now time.Time) []Record {
	var records []Record
	number := 0
	for line := range bytes.Lines(body) {
		number++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			records = append(records, unstored(line, now, fmt.Sprintf("line %d", number)))
		}
	}
	return records
}

func unstored(body []byte, now time.Time, place string) Record {
	r := read(body, event.Options{Strict: true}, now, place)
	if r.Refused == nil && len(body) > stream.MaxMessage {
		r.Refused = fault.Invalid.With("body_too_large", "", "an event holds at most %d bytes", stream.MaxMessage)
	}
	return r
}
