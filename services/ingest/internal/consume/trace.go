package consume

import (
	"context"
	"slices"

	"coworking/pkg/stream"
	"coworking/services/ingest/internal/store"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// mostLinks is how many of its events' traces a batch is linked to: those of a large
// batch would be more than anybody looks at.
const mostLinks = 32

// begin begins the span of a batch: one for all of its events, in a trace of its own
// that is linked to theirs. end is told what became of it.
func (w *Worker) begin(ctx context.Context, batch []store.Incoming) (traced context.Context, end func(store.Result, error)) {
	if w.Trace == nil {
		return ctx, func(store.Result, error) {}
	}
	ctx, span := w.Trace.Tracer("coworking").Start(ctx, "store batch", //nolint:spancheck // end ends it
		trace.WithNewRoot(),
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithLinks(links(batch)...),
		trace.WithAttributes(
			attribute.String("messaging.system", "nats"),
			attribute.String("messaging.destination.name", stream.Name),
			attribute.Int("messaging.batch.message_count", len(batch)),
			attribute.Int("ingest.partition", w.Partition),
		))
	return ctx, func(result store.Result, err error) { //nolint:spancheck // as above
		span.SetAttributes(
			attribute.Int("ingest.stored", result.Stored),
			attribute.Int("ingest.duplicates", result.Duplicates),
			attribute.Int("ingest.buried", result.Buried),
		)
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
}

// links is the traces that events of a batch are part of and that somebody keeps.
// Events that came together say the same: each trace is read once.
func links(batch []store.Incoming) []trace.Link {
	var found []trace.Link
	last := ""
	for i := range batch {
		parent := stream.TraceParent(batch[i].Header)
		if parent == "" || parent == last {
			continue
		}
		last = parent
		span := stream.ParseTraceParent(parent)
		known := slices.ContainsFunc(found, func(link trace.Link) bool { return link.SpanContext.Equal(span) })
		if !span.IsSampled() || known {
			continue
		}
		if found = append(found, trace.Link{SpanContext: span}); len(found) == mostLinks {
			break
		}
	}
	return found
}
