package tests

import (
	"context"
	"os"
	"testing"
	"time"

	"coworking/pkg/devbroker"
	"coworking/pkg/stream"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// roles is what this binary does as another process of a site.
var roles = map[string]func(*testing.T){
	"broker":         runBroker,
	"careful worker": runCarefulWorker,
	"hasty worker":   runHastyWorker,
}

// TestOtherProcess is no test, but what a site starts as other processes: on its
// own it has nothing to do.
func TestOtherProcess(t *testing.T) {
	if role, ok := roles[os.Getenv("FAULTS_ROLE")]; ok {
		role(t)
	}
}

// runBroker is a broker that syncs every write, until it is killed.
func runBroker(t *testing.T) {
	t.Helper()
	encoder := zapcore.NewConsoleEncoder(zap.NewProductionEncoderConfig())
	_, err := devbroker.Start(devbroker.Config{
		Dir: os.Getenv("FAULTS_DIR"), Addr: os.Getenv("FAULTS_ADDR"), MonitorAddr: os.Getenv("FAULTS_MONITOR_ADDR"),
		SyncAlways: true, Log: zap.New(zapcore.NewCore(encoder, zapcore.AddSync(os.Stderr), zap.WarnLevel)),
	})
	if err != nil {
		t.Fatal(err)
	}
	select {}
}

// standIn takes a worker's place: the simplest one there is, which buries whatever it
// is handed.
type standIn struct {
	created  time.Time // of the stream
	messages []jetstream.Msg
	db       *pgx.Conn
}

// standInBatch is how many messages a stand-in takes.
const standInBatch = 100

func runCarefulWorker(t *testing.T) {
	t.Helper()
	runStandIn(t, (*standIn).write, (*standIn).acknowledge)
}

func runHastyWorker(t *testing.T) {
	t.Helper()
	runStandIn(t, (*standIn).acknowledge, (*standIn).write)
}

// runStandIn takes a batch, and does the first of two things with it. Then it says so
// by making a file, and waits to be killed before the second.
func runStandIn(t *testing.T, first, second func(*standIn, context.Context) error) {
	t.Helper()
	w := openStandIn(t)
	if err := first(w, t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("FAULTS_HALFWAY"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	pausing(t.Context(), patience)
	if err := second(w, t.Context()); err != nil {
		t.Fatal(err)
	}
}

func openStandIn(t *testing.T) *standIn {
	t.Helper()
	conn, js, err := stream.Connect(os.Getenv("NATS_URL"), "stand-in", zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	bound, err := stream.Bind(t.Context(), js, stream.Config{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	w := &standIn{created: bound.Created}
	batch, err := bound.Fetch(standInBatch, jetstream.FetchMaxWait(patience))
	if err != nil {
		t.Fatal(err)
	}
	for message := range batch.Messages() {
		w.messages = append(w.messages, message)
	}
	if err := batch.Error(); err != nil {
		t.Fatal(err)
	}
	if w.db, err = pgx.Connect(t.Context(), os.Getenv("DATABASE_URL")); err != nil {
		t.Fatal(err)
	}
	return w
}

// write buries the batch in one transaction.
func (w *standIn) write(ctx context.Context) error {
	return pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error {
		for _, message := range w.messages {
			metadata, err := message.Metadata()
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `
				insert into dead_letters (stream_created, seq, subject, body, received, code, detail)
				values (@created, @seq, @subject, @body, @received, 'stand_in', 'a stand-in buries whatever it is handed')`,
				pgx.StrictNamedArgs{
					"created": w.created, "seq": int64(metadata.Sequence.Stream), "subject": message.Subject(),
					"body": message.Data(), "received": metadata.Timestamp,
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// acknowledge answers for the batch, and waits until the stream knows.
func (w *standIn) acknowledge(ctx context.Context) error {
	for _, message := range w.messages {
		if err := message.DoubleAck(ctx); err != nil {
			return err
		}
	}
	return nil
}
