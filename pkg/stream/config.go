package stream

import (
	"cmp"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// What is kept, and for how long.
const (
	MaxMessage = 64 << 10 // bytes of one message, headers included
	maxAge     = 14 * 24 * time.Hour

	// The broker's own de-duplication goes by a header that anyone may set, and
	// so could suppress somebody else's event. Ours is the database's; the
	// window is as short as the broker allows.
	duplicateWindow = 100 * time.Millisecond
)

// A durable hands its messages to one worker at a time, which is pinned to it as long
// as it goes on asking; the others stand by. Two writers of one partition would be
// slower than one, though nothing would be lost or counted twice.
const (
	writers = "writers" // the durable's only priority group
	// PinnedFor is how long after its last request a worker is still waited for: that
	// is how late another one begins after a crash. Workers ask more often.
	PinnedFor = 3 * time.Second
)

// Defaults of Config.
const (
	DefaultMaxBytes      = 8 << 30
	DefaultAckWait       = time.Minute
	DefaultMaxAckPending = 4 * 5_000

	maxPartitions = 1024
)

// Config is what may differ between a laptop and a cluster. To Setup, zero means
// the default; to Bind, that any value will do.
type Config struct {
	Partitions    int           // how many shards; a space is always in the same one. Default 1
	Replicas      int           // copies of every message: 1 on a laptop, 3 in a cluster. Default 1
	MaxBytes      int64         // of the stream, on each replica; past it, publishers are refused. Default 8 GiB
	AckWait       time.Duration // how long a message may be held without a word; at least four transactions. Default 1 minute
	MaxAckPending int           // messages handed out and unanswered; at least four batches. Default 20,000
}

func (c Config) withDefaults() Config {
	return Config{
		Partitions:    cmp.Or(c.Partitions, 1),
		Replicas:      cmp.Or(c.Replicas, 1),
		MaxBytes:      cmp.Or(c.MaxBytes, DefaultMaxBytes),
		AckWait:       cmp.Or(c.AckWait, DefaultAckWait),
		MaxAckPending: cmp.Or(c.MaxAckPending, DefaultMaxAckPending),
	}
}

// stream is the stream's configuration as it should be, given the one that is
// there: what is an operator's own business (placement, a description) is kept.
func (c Config) stream(found jetstream.StreamConfig) jetstream.StreamConfig {
	wanted := found
	wanted.Name = Name
	wanted.Subjects = []string{published}
	wanted.SubjectTransform = &jetstream.SubjectTransformConfig{Source: published, Destination: stored(c.Partitions)}
	wanted.Mirror, wanted.Sources = nil, nil

	// Full means that the publisher is told, never that old events make room.
	wanted.Retention = jetstream.LimitsPolicy
	wanted.Discard = jetstream.DiscardNew
	wanted.DiscardNewPerSubject = false
	wanted.MaxAge = maxAge
	wanted.MaxMsgs, wanted.MaxMsgsPerSubject, wanted.MaxConsumers = -1, -1, -1
	wanted.MaxMsgSize = MaxMessage
	wanted.MaxBytes = cmp.Or(c.MaxBytes, found.MaxBytes)
	wanted.Replicas = cmp.Or(c.Replicas, found.Replicas)
	wanted.Storage = jetstream.FileStorage
	wanted.PersistMode = jetstream.DefaultPersistMode
	wanted.NoAck, wanted.Sealed = false, false
	wanted.Duplicates = duplicateWindow

	// Batches are all or nothing. What could remove or replace somebody else's
	// events by a header is off; deleting one by its sequence is how a member
	// is erased.
	wanted.AllowAtomicPublish = true
	wanted.AllowRollup, wanted.AllowMsgTTL, wanted.AllowMsgCounter, wanted.AllowMsgSchedules = false, false, false, false
	wanted.SubjectDeleteMarkerTTL = 0
	wanted.DenyDelete = false
	return wanted
}

// durable is the configuration of a partition's durable as it should be.
func (c Config) durable(partition int, found jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	wanted := found
	wanted.Name, wanted.Durable = Durable(partition), Durable(partition)
	wanted.FilterSubject, wanted.FilterSubjects = filter(partition), nil
	wanted.DeliverPolicy, wanted.OptStartSeq, wanted.OptStartTime = jetstream.DeliverAllPolicy, 0, nil
	wanted.ReplayPolicy = jetstream.ReplayInstantPolicy

	// Each message is answered for on its own, and comes again until it is:
	// there is no back-off, since only the worker knows when it is worth trying.
	wanted.AckPolicy = jetstream.AckExplicitPolicy
	wanted.AckWait = cmp.Or(c.AckWait, found.AckWait)
	wanted.MaxAckPending = cmp.Or(c.MaxAckPending, found.MaxAckPending)
	wanted.MaxDeliver = -1
	wanted.BackOff = nil

	// A durable outlives its workers, and forgets nothing with the broker.
	wanted.InactiveThreshold = 0
	wanted.MemoryStorage = false
	wanted.Replicas = 0
	wanted.HeadersOnly = false
	wanted.RateLimit = 0
	wanted.PauseUntil = nil
	wanted.DeliverSubject, wanted.DeliverGroup = "", ""
	wanted.MaxRequestBatch, wanted.MaxRequestExpires, wanted.MaxRequestMaxBytes = 0, 0, 0
	wanted.PriorityPolicy, wanted.PriorityGroups, wanted.PinnedTTL = jetstream.PriorityPolicyPinned, []string{writers}, PinnedFor
	return wanted
}
