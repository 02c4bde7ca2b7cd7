package boot

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"coworking/pkg/fault"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

func TestWhereTracesGoIsRead(t *testing.T) {
	cases := map[string]struct {
		tracing Tracing
		want    fault.Kind
	}{
		"an address without a scheme": {Tracing{Endpoint: "127.0.0.1:4318", Ratio: 1}, fault.Invalid},
		"another protocol":            {Tracing{Endpoint: "grpc://127.0.0.1:4317", Ratio: 1}, fault.Invalid},
		"more than all":               {Tracing{Endpoint: "http://127.0.0.1:4318", Ratio: 1.1}, fault.Invalid},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := c.tracing.Start(t.Context(), "shop", zap.NewNop()); fault.Of(err) != c.want {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestNothingIsTracedWithoutAnAddress(t *testing.T) {
	tracer, err := Tracing{Ratio: 1}.Start(t.Context(), "shop", zap.NewNop())
	if tracer != nil || err != nil || tracer.Provider() != nil {
		t.Fatalf("%v %v", tracer, err)
	}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	request.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if allocated := testing.AllocsPerRun(100, func() {
		traced, end := tracer.Request(request, "/")
		end(http.StatusOK)
		if trace.SpanContextFromContext(traced.Context()).IsValid() {
			t.Error("a span, though nothing is traced")
		}
	}); allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
	tracer.Close()
}

func TestABatchIsKeptIfAnEventOfItIs(t *testing.T) {
	sampled := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled})
	cases := map[string]struct {
		links []trace.Link
		want  sdk.SamplingDecision
	}{
		"no links":               {nil, sdk.Drop},
		"one that is not kept":   {[]trace.Link{{SpanContext: sampled.WithTraceFlags(0)}}, sdk.Drop},
		"one of two that is":     {[]trace.Link{{SpanContext: sampled.WithTraceFlags(0)}, {SpanContext: sampled}}, sdk.RecordAndSample},
		"one that is, and alone": {[]trace.Link{{SpanContext: sampled}}, sdk.RecordAndSample},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := linked{sdk.NeverSample()}.ShouldSample(sdk.SamplingParameters{ParentContext: t.Context(), Links: c.links})
			if got.Decision != c.want {
				t.Errorf("%v", got.Decision)
			}
		})
	}
}
