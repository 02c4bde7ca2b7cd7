package stream

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// The header that tells of which trace a message is part: W3C Trace Context, in the
// lower case that it is written in, since NATS keeps the case of headers. The other
// name is what a CloudEvent's extension of that name is called in the binding to NATS.
const (
	traceParent      = "traceparent"
	traceParentEvent = "ce-traceparent"
)

// parentOf is the header of messages that are published in a span: one for all of
// them, not to be changed; nil without a span. What vendors add beside it
// (tracestate) stays behind: it can be longer than the room that headers have.
func parentOf(ctx context.Context) []string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	header := carrier{}
	propagation.TraceContext{}.Inject(ctx, header)
	return header[traceParent]
}

// say adds the parent to a message's header, which it makes if there is none.
func say(header nats.Header, parent []string) nats.Header {
	if parent == nil {
		return header
	}
	if header == nil {
		header = nats.Header{}
	}
	header[traceParent] = parent
	return header
}

// TraceParent is what a message says of the trace that it is part of, "" if nothing.
func TraceParent(header map[string][]string) string {
	return carrier(header).Get(traceParent)
}

// ParseTraceParent is the span that published a message; one that is not valid if
// nobody can read it.
func ParseTraceParent(parent string) trace.SpanContext {
	header := carrier{traceParent: {parent}}
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), header))
}

// carrier is a message's header as propagation.TextMapCarrier.
type carrier map[string][]string

// Get is the first value.
func (c carrier) Get(name string) string {
	values := c[name]
	if len(values) == 0 && name == traceParent {
		values = c[traceParentEvent]
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// Set keeps one value.
func (c carrier) Set(name, value string) { c[name] = []string{value} }

// Keys is nobody's question: the format asks for what it knows.
func (c carrier) Keys() []string { return nil }
