// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// Spans say of an error what kind it is and never its text: that may be another
// component's, who may quote what it refused.

// pass begins the span of one pass; the requests of the pass become its children
// through the context. The function ends and counts it with the pass's error, nil
// for a complete one. A pass that a shutdown ends does not count.
func (t *telemetry) pass(ctx context.Context, eventType string) (context.Context, func(error)) {
	ctx, end := t.span(ctx, "openai_compliance.pass", attribute.String("openai.compliance.event.type", eventType))
	return ctx, func(err error) {
		end(err)
		if !errors.Is(err, context.Canceled) {
			t.builder.ReceiverOpenaiCompliancePolls.Add(ctx, 1, metric.WithAttributes(eventTypeAttr(eventType), outcomeAttr(pollOutcome(err))))
		}
	}
}

// pollOutcome tells what an operator must see to from what may pass by itself.
func pollOutcome(err error) string {
	if err == nil {
		return pollSuccess
	}
	var status *compliance.StatusError
	if !errors.As(err, &status) || status.Op == compliance.OperationFetch {
		return pollFailed
	}
	switch status.Status {
	case http.StatusUnauthorized:
		return pollUnauthorized
	case http.StatusForbidden:
		return pollForbidden
	case http.StatusBadRequest, http.StatusNotFound:
		if status.Op == compliance.OperationList {
			return pollNotFound
		}
	}
	return pollFailed
}

// fileSpan begins the span of one file, from its download to its last commit,
// and ends as a pass's does. The size is in bytes.
func (t *telemetry) fileSpan(ctx context.Context, eventType string, file compliance.File) (context.Context, func(error)) {
	return t.span(ctx, "openai_compliance.file",
		attribute.String("openai.compliance.event.type", eventType),
		attribute.String("openai.compliance.file.id", file.ID),
		attribute.Int64("openai.compliance.file.size", file.Size))
}

func (t *telemetry) span(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, func(error)) {
	ctx, span := t.tracer.Start(ctx, name, trace.WithAttributes(attrs...))
	return ctx, func(err error) {
		failSpan(span, err)
		span.End()
	}
}

func failSpan(span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", errorType(err)))
		span.SetStatus(codes.Error, "")
	}
}

// errorType is a short name for the kind of an error: the status code of a
// refused request, or one of a few words.
func errorType(err error) string {
	var (
		status    *compliance.StatusError
		redirect  *compliance.RedirectError
		integrity *compliance.IntegrityError
		answer    *compliance.AnswerError
		request   *compliance.RequestError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.As(err, &status):
		return strconv.Itoa(status.Status)
	case errors.As(err, &redirect):
		return "redirect"
	case errors.As(err, &integrity):
		return "integrity"
	case errors.Is(err, compliance.ErrTooLarge):
		return "too_large"
	case errors.As(err, &answer):
		return "answer"
	case errors.As(err, &request):
		return "no_answer"
	case errors.Is(err, deliver.ErrGivenUp):
		return "consumer"
	}
	return "_OTHER" // the conventions' name for the rest
}

// fetchSpans makes a span of every request to a signed URL. The instrumentation
// that other requests have would put the whole URL, and so the right to read the
// file, into the span; this one names the host.
type fetchSpans struct {
	next   http.RoundTripper
	tracer trace.Tracer
}

// RoundTrip implements http.RoundTripper. The span ends when the body is closed.
func (f *fetchSpans) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, span := f.tracer.Start(req.Context(), "openai_compliance.fetch", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("http.request.method", req.Method),
			attribute.String("server.address", req.URL.Hostname()),
		))
	resp, err := f.next.RoundTrip(req.WithContext(ctx))
	if err != nil {
		failSpan(span, &compliance.RequestError{Op: compliance.OperationFetch, Cause: err})
		span.End()
		return nil, err
	}
	span.SetAttributes(attribute.Int("http.response.status_code", resp.StatusCode))
	if resp.StatusCode >= http.StatusBadRequest {
		failSpan(span, &compliance.StatusError{Op: compliance.OperationFetch, Status: resp.StatusCode})
	}
	resp.Body = &spanBody{ReadCloser: resp.Body, span: span}
	return resp, nil
}

// CloseIdleConnections implements the optional interface of http.Client.
func (f *fetchSpans) CloseIdleConnections() {
	if closer, ok := f.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// spanBody ends the span of a request with its body, and counts the bytes.
type spanBody struct {
	io.ReadCloser
	span trace.Span
	once sync.Once
	read int
}

func (b *spanBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += n
	if err != nil && !errors.Is(err, io.EOF) {
		failSpan(b.span, &compliance.RequestError{Op: compliance.OperationFetch, Cause: err})
	}
	return n, err
}

func (b *spanBody) Close() error {
	b.once.Do(func() {
		b.span.SetAttributes(attribute.Int("http.response.body.size", b.read))
		b.span.End()
	})
	return b.ReadCloser.Close()
}
