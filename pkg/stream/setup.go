package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"coworking/pkg/fault"

	"github.com/nats-io/nats.go/jetstream"
)

// Setup makes the stream and its durables, or brings those that are there to the
// wanted configuration, and says in sentences what it changed: none if nothing.
// It is the only maker of either; services bind, and refuse what has drifted.
//
// More partitions than before is fine at any time: what is stored stays where it
// is, in its old partition. Fewer is refused with fault.Invalid as long as a
// durable that would go has messages left, for nobody would ever read them.
func Setup(ctx context.Context, js jetstream.JetStream, c Config) ([]string, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	surplus, err := surplusDurables(ctx, js, c.Partitions)
	if err != nil {
		return nil, err
	}
	if err := drained(surplus, c.Partitions); err != nil {
		return nil, err
	}
	previous, changes, err := setupStream(ctx, js, c)
	if err != nil {
		return changes, err
	}
	for partition := range c.Partitions {
		change, err := setupDurable(ctx, js, c, partition)
		if err != nil {
			return changes, err
		}
		changes = append(changes, change...)
	}
	removed, err := removeDurables(ctx, js, c, previous)
	return append(changes, removed...), err
}

// Replay is Setup with durables that begin anew: every message that the stream still
// has is handed out once more. That is how a database that was restored from a backup
// gets what came after it; what is in it changes nothing. Workers find the new durables
// by themselves. Faults are those of Setup.
func Replay(ctx context.Context, js jetstream.JetStream, c Config) ([]string, error) {
	durables, err := surplusDurables(ctx, js, 0)
	if err != nil {
		return nil, err
	}
	var changes []string
	for _, info := range durables {
		if err := js.DeleteConsumer(ctx, Name, info.Name); err != nil {
			return changes, setupError(js, "removing durable "+info.Name, err)
		}
		changes = append(changes, fmt.Sprintf("durable %s removed: it stood at message %d", info.Name, info.AckFloor.Stream))
	}
	made, err := Setup(ctx, js, c)
	return append(changes, made...), err
}

// check refuses numbers that cannot be meant.
func (c Config) check() error {
	switch {
	case c.Partitions < 0 || c.Partitions > maxPartitions:
		return fault.Invalid.Errorf("%d partitions: there can be 1 to %d", c.Partitions, maxPartitions)
	case c.Replicas < 0 || c.Replicas > 5:
		return fault.Invalid.Errorf("%d replicas: there can be 1 to 5", c.Replicas)
	case c.MaxBytes < 0 || (c.MaxBytes > 0 && c.MaxBytes < MaxMessage):
		return fault.Invalid.Errorf("%d bytes for the stream: one message may have %d", c.MaxBytes, MaxMessage)
	case c.AckWait < 0 || c.MaxAckPending < 0:
		return fault.Invalid.Errorf("ack wait %v and %d unanswered messages: neither can be negative", c.AckWait, c.MaxAckPending)
	}
	return nil
}

// setupStream makes or updates the stream; previous is what it was, nil if it was not.
func setupStream(ctx context.Context, js jetstream.JetStream, c Config) (previous *jetstream.StreamConfig, changes []string, err error) {
	there, err := js.Stream(ctx, Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err := js.CreateStream(ctx, c.stream(jetstream.StreamConfig{})); err != nil {
			return nil, nil, setupError(js, "making stream "+Name, err)
		}
		return nil, []string{fmt.Sprintf("stream %s made: partitions %d, replicas %d, max_bytes %d", Name, c.Partitions, c.Replicas, c.MaxBytes)}, nil
	}
	if err != nil {
		return nil, nil, setupError(js, "looking up stream "+Name, err)
	}
	found := there.CachedInfo().Config
	wanted := c.stream(found)
	drift := differences(wanted, found)
	if len(drift) == 0 {
		return &found, nil, nil
	}
	if _, err := js.UpdateStream(ctx, wanted); err != nil {
		return &found, nil, setupError(js, fmt.Sprintf("updating stream %s (%s)", Name, sentence(drift)), err)
	}
	return &found, changed("stream "+Name, drift), nil
}

// setupDurable makes or updates the durable of a partition.
func setupDurable(ctx context.Context, js jetstream.JetStream, c Config, partition int) ([]string, error) {
	name := Durable(partition)
	there, err := js.Consumer(ctx, Name, name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		if _, err := js.CreateConsumer(ctx, Name, c.durable(partition, jetstream.ConsumerConfig{})); err != nil {
			return nil, setupError(js, "making durable "+name, err)
		}
		return []string{fmt.Sprintf("durable %s made: ack_wait %v, max_ack_pending %d", name, c.AckWait, c.MaxAckPending)}, nil
	}
	if err != nil {
		return nil, setupError(js, "looking up durable "+name, err)
	}
	found := there.CachedInfo().Config
	wanted := c.durable(partition, found)
	drift := differences(wanted, found)
	if len(drift) == 0 {
		return nil, nil
	}
	if _, err := js.UpdateConsumer(ctx, Name, wanted); err != nil {
		return nil, setupError(js, fmt.Sprintf("updating durable %s (%s)", name, sentence(drift)), err)
	}
	return changed("durable "+name, drift), nil
}

// removeDurables takes the durables away that have no partition any more. Between
// the first look and the change of the stream a publisher may have been quick: if
// one has messages after all, the stream gets its old partitions back.
func removeDurables(ctx context.Context, js jetstream.JetStream, c Config, previous *jetstream.StreamConfig) ([]string, error) {
	surplus, err := surplusDurables(ctx, js, c.Partitions)
	if err != nil {
		return nil, err
	}
	if err := drained(surplus, c.Partitions); err != nil {
		if previous != nil {
			_, undo := js.UpdateStream(ctx, *previous)
			err = errors.Join(err, undo)
		}
		return nil, err
	}
	var changes []string
	for _, info := range surplus {
		if err := js.DeleteConsumer(ctx, Name, info.Name); err != nil {
			return changes, setupError(js, "removing durable "+info.Name, err)
		}
		changes = append(changes, fmt.Sprintf("durable %s removed: its partition is gone, and it had read everything", info.Name))
	}
	return changes, nil
}

// surplusDurables is the durables of partitions past the last, in their order.
func surplusDurables(ctx context.Context, js jetstream.JetStream, partitions int) ([]*jetstream.ConsumerInfo, error) {
	there, err := js.Stream(ctx, Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, setupError(js, "looking up stream "+Name, err)
	}
	var surplus []*jetstream.ConsumerInfo
	list := there.ListConsumers(ctx)
	for info := range list.Info() {
		number, ours := strings.CutPrefix(info.Name, durablePrefix)
		if partition, err := strconv.Atoi(number); ours && err == nil && partition >= partitions {
			surplus = append(surplus, info)
		}
	}
	if err := list.Err(); err != nil {
		return nil, setupError(js, "listing the durables", err)
	}
	slices.SortFunc(surplus, func(a, b *jetstream.ConsumerInfo) int { return strings.Compare(a.Name, b.Name) })
	return surplus, nil
}

// drained refuses fewer partitions while a durable that would go has work left.
func drained(surplus []*jetstream.ConsumerInfo, partitions int) error {
	for _, info := range surplus {
		if left := info.NumPending + uint64(max(0, info.NumAckPending)); left > 0 {
			return fault.Invalid.Errorf("%d partitions: durable %s still has %d messages that nobody would read; let its worker catch up while publishers pause, then run setup again",
				partitions, info.Name, left)
		}
	}
	return nil
}

func changed(what string, drift []difference) []string {
	sentences := make([]string, len(drift))
	for i, d := range drift {
		sentences[i] = fmt.Sprintf("%s: %s was %v, is %v", what, d.field, d.found, d.wanted)
	}
	return sentences
}

// setupError sorts what a broker answers: a refusal is the configuration's fault,
// silence and "not now" pass.
func setupError(js jetstream.JetStream, doing string, err error) error {
	api, refused := errors.AsType[*jetstream.APIError](err)
	switch {
	case refused && (api.ErrorCode == codeStorageExceeded || api.ErrorCode == codeNoResources):
		return fault.Internal.Errorf("%s: the broker's disk has no room for max_bytes; ask for less: %w", doing, err)
	case refused && api.Code != http.StatusServiceUnavailable:
		return fault.Internal.Errorf("%s: %w", doing, err)
	default:
		return fault.Unavailable.Errorf("%s: %w", doing, silence(js.Conn(), err))
	}
}
