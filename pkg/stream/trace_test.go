package stream

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"
)

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestAMessageTellsOfItsTrace(t *testing.T) {
	ctx := trace.ContextWithRemoteSpanContext(t.Context(), ParseTraceParent(parent))
	want := nats.Header{"traceparent": {parent}}
	if diff := cmp.Diff(want, say(nil, parentOf(ctx))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if header := say(nil, parentOf(t.Context())); header != nil {
		t.Errorf("outside of any trace: %v", header)
	}
}

func TestTheTraceOfAMessageIsRead(t *testing.T) {
	cases := map[string]struct {
		header map[string][]string
		want   string
	}{
		"by the header":                   {nats.Header{"traceparent": {parent}}, "0af7651916cd43dd8448eb211c80319c"},
		"by the extension of CloudEvents": {nats.Header{"ce-traceparent": {parent}}, "0af7651916cd43dd8448eb211c80319c"},
		"not without one":                 {nats.Header{"Nats-Batch-Id": {"x"}}, ""},
		"not by one that is none":         {nats.Header{"traceparent": {"soon"}}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			span, got := ParseTraceParent(TraceParent(c.header)), ""
			if span.IsValid() {
				got = span.TraceID().String()
			}
			if got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}
