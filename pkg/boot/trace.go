package boot

import (
	"context"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"coworking/pkg/fault"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// flushTimeout is how long a stop waits for the last spans to be sent.
const flushTimeout = 5 * time.Second

// Tracing is where spans are sent, as flags of a verb. The zero value is nowhere.
// What else the exporter can be told it reads itself: OTEL_EXPORTER_OTLP_HEADERS,
// OTEL_RESOURCE_ATTRIBUTES and their kin.
type Tracing struct {
	Endpoint string  `name:"otlp-endpoint" env:"OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL" help:"Where traces are sent, as OTLP over HTTP, such as http://127.0.0.1:4318. Nothing is traced without it."`
	Ratio    float64 `name:"trace-ratio" default:"1" env:"OTEL_TRACES_SAMPLER_ARG" help:"Which part of the traces that begin here is kept, from 0 to 1. What somebody else began is kept if they keep it."`
}

// Start begins to trace. Without an endpoint the tracer is nil, which costs nothing.
func (t Tracing) Start(ctx context.Context, service string, log *zap.Logger) (*Tracer, error) {
	if t.Endpoint == "" {
		return nil, nil
	}
	endpoint, err := url.Parse(t.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, fault.Invalid.Errorf("--otlp-endpoint (OTEL_EXPORTER_OTLP_ENDPOINT) is no address like http://127.0.0.1:4318") // not quoted: it may hold a password
	}
	if !(t.Ratio >= 0 && t.Ratio <= 1) {
		return nil, fault.Invalid.Errorf("--trace-ratio (OTEL_TRACES_SAMPLER_ARG) is not from 0 to 1")
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint.JoinPath("v1", "traces").String()))
	if err != nil {
		return nil, fault.Internal.Errorf("tracing: %w", err)
	}
	about, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", service), attribute.String("service.version", Version),
	), resource.WithHost(), resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		log.Warn("tracing: what is said of this process", zap.Error(err))
	}
	provider := sdk.NewTracerProvider(
		sdk.WithBatcher(&told{SpanExporter: exporter, log: log}),
		sdk.WithResource(about),
		sdk.WithSampler(sdk.ParentBased(linked{sdk.TraceIDRatioBased(t.Ratio)})),
	)
	return &Tracer{provider: provider, tracer: provider.Tracer("coworking")}, nil
}

// linked keeps a trace that is linked to one that is kept: a batch of events is
// worth seeing if one of its events is.
type linked struct{ sdk.Sampler }

// ShouldSample is sdk.Sampler's.
func (l linked) ShouldSample(p sdk.SamplingParameters) sdk.SamplingResult {
	for _, link := range p.Links {
		if link.SpanContext.IsSampled() {
			return sdk.AlwaysSample().ShouldSample(p)
		}
	}
	return l.Sampler.ShouldSample(p)
}

// told is an exporter that logs that spans cannot be sent, once an outage. They are
// lost then; nothing waits for them.
type told struct {
	sdk.SpanExporter

	log     *zap.Logger
	failing atomic.Bool
}

// ExportSpans is sdk.SpanExporter's.
func (t *told) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := t.SpanExporter.ExportSpans(ctx, spans)
	switch was := t.failing.Swap(err != nil); {
	case err != nil && !was:
		t.log.Warn("traces cannot be sent, and are lost", zap.Error(err))
	case err == nil && was:
		t.log.Info("traces are sent again")
	}
	return nil
}

// Tracer makes spans, and sends them. A nil one makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// Provider is the same for libraries; nil where nothing is traced.
func (t *Tracer) Provider() trace.TracerProvider {
	if t == nil {
		return nil
	}
	return t.provider
}

// Request begins the span of a request, in the trace that its sender says it is
// part of. end is told the status of the answer.
func (t *Tracer) Request(r *http.Request, route string) (traced *http.Request, end func(status int)) {
	if t == nil {
		return r, func(int) {}
	}
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.tracer.Start(ctx, r.Method+" "+route, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes( //nolint:spancheck // end ends it
		attribute.String("http.request.method", r.Method),
		attribute.String("http.route", route),
		attribute.String("url.path", r.URL.Path), // not the query: it may name a person
	))
	return r.WithContext(ctx), func(status int) { //nolint:spancheck // as above
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Close sends what is still to be sent, for five seconds at most.
func (t *Tracer) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // told has said what is wrong
}

// TraceID says in a line of the log which trace it is part of, if it is in one.
func TraceID(ctx context.Context) zap.Field {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsValid() {
		return zap.Skip()
	}
	return zap.Stringer("trace_id", span.TraceID())
}
