package consume

import (
	"context"
	"time"

	"coworking/pkg/fault"

	"go.uber.org/zap"
)

// watermarkEvery is how often the worker says how far the numbers reach.
const watermarkEvery = time.Second

// watch writes, each second, up to when all that the stream had stored is in the
// numbers, until asked to stop.
func (w *Worker) watch(ctx context.Context) error {
	tick := time.NewTicker(watermarkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := w.watermark(ctx); err != nil && ctx.Err() == nil {
				w.Log.Debug("watermark", zap.Error(err))
			}
		}
	}
}

// watermark asks the durable: if nothing waits and nothing is unanswered, all that
// was stored when it was asked is in; else all up to the last message before the
// first unanswered one.
func (w *Worker) watermark(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, watermarkEvery)
	defer cancel()
	source := w.source.Load()
	if source == nil {
		return nil // not bound yet
	}
	info, err := source.Consumer.Info(ctx)
	if err != nil {
		return fault.Unavailable.Errorf("asking the durable: %w", err)
	}
	through := info.TimeStamp
	if info.NumPending > 0 || info.NumAckPending > 0 {
		through, err = source.Received(ctx, info.AckFloor.Stream)
		if fault.Of(err) == fault.NotFound {
			w.Observe.Lag(info.NumPending, uint64(info.NumAckPending), time.Time{})
			return nil // nothing answered yet, or erased: the mark stays where it is
		}
		if err != nil {
			return err
		}
	}
	w.Observe.Lag(info.NumPending, uint64(info.NumAckPending), through)
	return w.Store.Watermark(ctx, w.Partition, through)
}
