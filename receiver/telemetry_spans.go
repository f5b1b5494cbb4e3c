// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// Spans name the kind of an error and never its text: that may be another
// component's, which may quote what it rejected.

// startPollSpan begins the span of one poll; the requests of the poll become its
// children through the context.
func (t *telemetry) startPollSpan(ctx context.Context, id collect.StreamID) (context.Context, func(error, collect.Fault)) {
	ctx, span := t.tracer.Start(ctx, "openai_compliance.poll", trace.WithAttributes(attribute.String("openai.compliance.event.type", id.EventType)))
	return ctx, func(err error, fault collect.Fault) {
		failSpan(span, err, fault.Label)
		span.End()
	}
}

// startFileSpan begins the span of one file, from its download to its last commit.
// The size is in bytes.
func (t *telemetry) startFileSpan(ctx context.Context, id collect.StreamID, file compliance.File) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, "openai_compliance.file", trace.WithAttributes(
		attribute.String("openai.compliance.event.type", id.EventType),
		attribute.String("openai.compliance.file.id", file.ID),
		attribute.Int64("openai.compliance.file.size", file.Size)))
	return ctx, func(err error) {
		failSpan(span, err, collect.Classifier{EventType: id.EventType}.Classify(err).Label)
		span.End()
	}
}

func failSpan(span trace.Span, err error, kind string) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", kind))
		span.SetStatus(codes.Error, "")
	}
}

// tracingTransport makes a span of every request. The usual instrumentation would put
// the whole URL, which may be the right to read a file, and the text of errors into
// the span; this one names the host and the kind.
type tracingTransport struct {
	next   http.RoundTripper
	tracer trace.Tracer
	name   string // of its spans
}

// RoundTrip implements http.RoundTripper. The span ends when the body is closed.
func (f *tracingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, span := f.tracer.Start(req.Context(), f.name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("http.request.method", req.Method),
			attribute.String("server.address", req.URL.Hostname()),
		))
	resp, err := f.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		failFetch(span, &compliance.RequestError{Op: compliance.OperationFetch, Cause: err})
		span.End()
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		failFetch(span, &compliance.StatusError{Op: compliance.OperationFetch, Status: resp.StatusCode})
	}
	resp.Body = &tracedBody{ReadCloser: resp.Body, span: span}
	return resp, nil
}

// CloseIdleConnections implements the optional interface of http.Client.
func (f *tracingTransport) CloseIdleConnections() {
	if closer, ok := f.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

func failFetch(span trace.Span, err error) {
	failSpan(span, err, collect.Classifier{}.Classify(err).Label)
}

// tracedBody ends the span of a request with its body, and counts the bytes.
type tracedBody struct {
	io.ReadCloser
	span trace.Span
	once sync.Once
	read int
}

func (b *tracedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += n
	if err != nil && !errors.Is(err, io.EOF) {
		failFetch(b.span, &compliance.RequestError{Op: compliance.OperationFetch, Cause: err})
	}
	return n, err
}

func (b *tracedBody) Close() error {
	b.once.Do(func() {
		b.span.SetAttributes(attribute.Int("http.response.body.size", b.read))
		b.span.End()
	})
	return b.ReadCloser.Close()
}
