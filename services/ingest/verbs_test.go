package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"coworking/pkg/event"
	"coworking/pkg/fault"
	"coworking/pkg/pg"
	"coworking/pkg/pgtest"
	"coworking/pkg/stream"
	"coworking/pkg/streamtest"
	"coworking/services/ingest/internal/store"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// service is `ingest run` on a broker and a database of its own, with one poisonous
// message and a day of two members in it, each event published twice.
type service struct {
	*testing.T
	stream   *streamtest.Stream
	database pg.URL
	pool     *pgxpool.Pool
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{T: t, stream: streamtest.New(t), database: pg.URL(pgtest.URL(t))}
	pool, err := pg.Open(t.Context(), s.database, pg.Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s.pool = pool
	var messages []stream.Message
	for i, member := range []string{"ada", "bob", "ada"} {
		e := event.Event{
			ID: fmt.Sprint(i), Source: "door", Kind: event.CheckIn, Space: "soho", Member: member,
			Time: time.Date(2026, 3, 2, 9+i, 0, 0, 0, time.UTC),
		}
		for range 2 {
			messages = append(messages, stream.Message{Subject: e.Subject(), Body: e.Encode(nil)})
		}
	}
	messages = append(messages, stream.Message{Subject: "checkins.v1.soho.checkin", Body: []byte(`{"subject":"ada",`)})
	if err := stream.NewPublisher(s.stream.JS, stream.Patience{}).PublishBatch(t.Context(), messages, nil).Err(); err != nil {
		t.Fatal(err)
	}
	return s
}

// ingest runs `ingest run` until everything is settled.
func (s *service) ingest() {
	s.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	run := &runCmd{
		DatabaseURL: s.database, NATSURL: s.stream.URL, IntakeAddr: "127.0.0.1:0", Partitions: 1, BatchSize: 100,
		WriteTimeout: 10 * time.Second,
	}
	ended := make(chan error, 1)
	go func() { ended <- run.Run(ctx, zap.NewNop()) }()
	bound, err := stream.Bind(s.Context(), s.stream.JS, streamtest.Config, 0)
	if err != nil {
		s.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		settled, last, err := bound.Settled(s.Context())
		if err == nil && settled == last {
			break
		}
		if time.Now().After(deadline) {
			s.Fatalf("settled %d of %d: %v", settled, last, err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		s.Fatal(err)
	}
}

func (s *service) number(sql string) (n int) {
	s.Helper()
	if err := s.pool.QueryRow(s.Context(), sql).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// verify is what `ingest verify` finds, and the code that it ends with.
func (s *service) verify(c verifyCmd) (found verification, code int) {
	s.Helper()
	c.DatabaseURL, c.NATSURL, c.Partitions, c.Quiet = s.database, s.stream.URL, 1, true
	var out bytes.Buffer
	err := c.Run(s.Context(), zap.NewNop(), &out)
	if ended, ok := errors.AsType[exitError](err); ok {
		code = ended.code
	} else if err != nil {
		s.Fatal(err)
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &found); err != nil {
			s.Fatal(err)
		}
	}
	return found, code
}

func TestVerifyAccountsForEveryMessage(t *testing.T) {
	s := newService(t)
	if found, code := s.verify(verifyCmd{}); code != 0 || found.Stream.Partitions[0].Through != 0 {
		t.Errorf("before anything was answered for: %d, %+v", code, found.Stream)
	}
	s.ingest()
	if found, code := s.verify(verifyCmd{}); code != 0 || !found.Equal || found.Stream.Partitions[0].Messages != 7 {
		t.Errorf("all is well: %d, %+v", code, found)
	}
	if _, err := s.pool.Exec(t.Context(), "delete from events where id = '1'"); err != nil {
		t.Fatal(err)
	}
	found, code := s.verify(verifyCmd{Fix: true})
	if lost := found.Stream.Partitions[0].Unaccounted; code != 1 || found.Equal || len(lost) != 2 || lost[0] != 3 || lost[1] != 4 {
		t.Errorf("an event is gone: %d, %+v", code, found.Stream)
	}
	if len(found.Rollups.Differences) == 0 || found.Fixed == 0 {
		t.Errorf("its day counts it still: %+v", found.Rollups)
	}
	if n := s.number("select count(*) from verify_results"); n != 3 {
		t.Errorf("%d verifications are kept", n)
	}
	s.stream.Stop()
	if _, code := s.verify(verifyCmd{}); code != 2 {
		t.Errorf("without a broker it ends with %d", code)
	}
}

// What the gauge of the alert shows is what the last verification of everything found,
// or one since of a part that found something.
func TestVerifyingAPartDoesNotAnswerForTheWhole(t *testing.T) {
	s := newService(t)
	s.ingest()
	that, others := rangeFlags{From: "2026-03-02", To: "2026-03-03"}, rangeFlags{Space: []string{"soho"}, From: "2026-03-03"}
	for _, step := range []struct {
		does, sql string
		verify    verifyCmd
		code      int
		equal     bool // as the gauge has it then
	}{
		{does: "everything, and all is well", equal: true},
		{does: "days beside one that was edited", sql: "update space_day set checkins = checkins + 1", verify: verifyCmd{Range: others}, equal: true},
		{does: "that day", verify: verifyCmd{Range: that}, code: 1},
		{does: "the days beside it again", verify: verifyCmd{Range: others}},
		{does: "everything", verify: verifyCmd{Fix: true}, code: 1},
		{does: "that day, which was mended", verify: verifyCmd{Range: that}},
		{does: "everything again", equal: true},
	} {
		if _, err := s.pool.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		if found, code := s.verify(step.verify); code != step.code {
			t.Errorf("%s: it ends with %d: %+v", step.does, code, found)
		}
		kept, err := store.New(t.Context(), s.pool)
		if err != nil {
			t.Fatal(err)
		}
		shown, err := kept.Standing(t.Context())
		if err != nil || shown.Equal == nil || *shown.Equal != step.equal {
			t.Errorf("%s: it shows %v, %v", step.does, shown.Equal, err)
		}
	}
}

func TestErasePutsAStandInAndDeletesEveryCopy(t *testing.T) {
	s := newService(t)
	s.ingest()
	erase := &eraseCmd{DatabaseURL: s.database, NATSURL: s.stream.URL, Partitions: 1, Member: "ada", Timeout: 10 * time.Second}
	var out bytes.Buffer
	if err := erase.Run(t.Context(), zap.NewNop(), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "erased: 5 messages of the stream; the tables say erased-") {
		t.Errorf("%s", &out)
	}
	bound, err := stream.Bind(t.Context(), s.stream.JS, streamtest.Config, 0)
	if err != nil {
		t.Fatal(err)
	}
	left := 0
	err = bound.Each(t.Context(), 7, func(m stream.Stored) error {
		left++
		if bytes.Contains(m.Body, []byte("ada")) {
			t.Errorf("the stream still says %s", m.Body)
		}
		return nil
	})
	if err != nil || left != 2 {
		t.Errorf("%d messages are left, %v", left, err)
	}
	if n := s.number("select checkins from space_day"); n != 3 {
		t.Errorf("%d check-ins are counted, not 3", n)
	}
	if _, code := s.verify(verifyCmd{}); code != 0 {
		t.Errorf("verify ends with %d", code)
	}
	if err := erase.Run(t.Context(), zap.NewNop(), &out); fault.Of(err) != fault.NotFound {
		t.Errorf("nobody of that id any more: %v", err)
	}
}

func TestDeadLettersAreShownRetriedAndDropped(t *testing.T) {
	s := newService(t)
	s.ingest()
	letters := &deadLettersCmd{DatabaseURL: s.database}
	steps := []struct { // one after the other
		name string
		run  func(out *bytes.Buffer) error
		want string
		code string
	}{
		{
			name: "list",
			run: func(out *bytes.Buffer) error {
				return (&listLettersCmd{State: "open", Limit: 10}).Run(t.Context(), out, letters)
			},
			want: "invalid_json",
		},
		{
			name: "list as JSON",
			run: func(out *bytes.Buffer) error {
				return (&listLettersCmd{State: "all", Limit: 10, JSON: true}).Run(t.Context(), out, letters)
			},
			want: `"sequence":7`,
		},
		{name: "show", run: func(out *bytes.Buffer) error { return (&showLetterCmd{ID: 1}).Run(t.Context(), out, letters) }, want: `{"subject":"ada",`},
		{name: "retry", run: func(out *bytes.Buffer) error {
			return (&retryLettersCmd{IDs: []int64{1}}).Run(t.Context(), out, letters)
		}, code: "invalid_json"},
		{name: "drop", run: func(out *bytes.Buffer) error {
			return (&dropLettersCmd{IDs: []int64{1}}).Run(t.Context(), out, letters)
		}, want: "1: dropped"},
	}
	for _, c := range steps {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			err := c.run(&out)
			if fault.Code(err) != c.code || c.code == "" && err != nil || !strings.Contains(out.String(), c.want) {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

func TestRebuildSaysHowManyDays(t *testing.T) {
	s := newService(t)
	s.ingest()
	var out bytes.Buffer
	if err := (&rebuildCmd{DatabaseURL: s.database, Quiet: true}).Run(t.Context(), &out); err != nil || out.String() != "rebuilt 1 space-days\n" {
		t.Errorf("%v %s", err, &out)
	}
	if _, code := s.verify(verifyCmd{}); code != 0 {
		t.Errorf("verify ends with %d", code)
	}
}
