// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func spanAttr(span sdktrace.ReadOnlySpan, key string) attribute.Value {
	for _, attr := range span.Attributes() {
		if string(attr.Key) == key {
			return attr.Value
		}
	}
	return attribute.Value{}
}

// spanText is all that a span tells.
func spanText(span sdktrace.ReadOnlySpan) string {
	return fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Links(), span.Status(), span.SpanContext().TraceState())
}

// Every request has a span, the one to a signed URL too; no span, also of
// requests that fail, holds the key, the signed URL or content of a file.
func TestSpansOfRequestsHoldNoSecret(t *testing.T) {
	cut := 3
	w := newWorld(t, fakeapi.Options{})
	file := w.api.Add("AUTH_LOG", recent(time.Hour), authLine("a"))
	w.api.Script(
		fakeapi.Fault{Op: "fetch", Times: 1, Status: 403, Body: "sig=echoed"},
		fakeapi.Fault{Op: "fetch", Skip: 0, Times: 1, Truncate: &cut},
		fakeapi.Fault{Op: "list", Skip: 1, Times: 1, Reset: true},
		fakeapi.Fault{Op: "download", Times: 1, Status: 503, Body: `{"error":{"message":"bad key ` + fakeapi.DefaultKey + `"}}`},
	)
	w.start()
	w.awaitExact()
	w.stop()

	spans := map[string]int{}
	var fetched []string
	for _, span := range w.tel.SpanRecorder.Ended() {
		spans[span.Name()]++
		text := spanText(span)
		for _, secret := range []string{"sig=", "/blob/", fakeapi.DefaultKey, "Bearer", "login_success"} {
			assert.NotContains(t, text, secret)
		}
		if span.Name() == "openai_compliance.fetch" {
			fetched = append(fetched, spanAttr(span, "http.response.status_code").String()+" "+spanAttr(span, "error.type").String()+" "+spanAttr(span, "http.response.body.size").String())
			assert.Equal(t, "127.0.0.1", spanAttr(span, "server.address").AsString())
			assert.Equal(t, trace.SpanKindClient, span.SpanKind())
		}
	}
	assert.Equal(t, []string{"403 403 10", "200 no_answer 3", fmt.Sprintf("200  %d", file.Size)}, fetched)
	assert.Greater(t, spans["HTTP GET"], 3, "a span of each list and download")
}

// A pass and a file have a span each, in the context that the requests get; it
// names the kind of an error and never its text.
func TestSpansOfPassAndFile(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	pass, endPass := tel.pass(t.Context(), "AUTH_LOG")
	_, endFile := tel.fileSpan(pass, "AUTH_LOG", compliance.File{ID: "eclf_1", Size: 7})
	endFile(fmt.Errorf("deliver: %w: content of a record", deliver.ErrGivenUp))
	endPass(nil)

	spans := tt.SpanRecorder.Ended()
	require.Len(t, spans, 2)
	file, whole := spans[0], spans[1]
	assert.Equal(t, whole.SpanContext().SpanID(), file.Parent().SpanID())
	assert.Equal(t, "eclf_1", spanAttr(file, "openai.compliance.file.id").AsString())
	assert.Equal(t, int64(7), spanAttr(file, "openai.compliance.file.size").AsInt64())
	assert.Equal(t, "consumer", spanAttr(file, "error.type").AsString())
	assert.Equal(t, sdktrace.Status{Code: codes.Error}, file.Status())
	assert.NotContains(t, spanText(file), "content")
	assert.Equal(t, "AUTH_LOG", spanAttr(whole, "openai.compliance.event.type").AsString())
	assert.Equal(t, codes.Unset, whole.Status().Code)
}

// A pass counts by how it ended; a 404 of one file is not one of the principal,
// and a pass that a shutdown ends is none.
func TestPollOutcomes(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	refused := func(op compliance.Operation, status int) error {
		return fmt.Errorf("list files: %w", &compliance.StatusError{Op: op, Status: status})
	}
	for _, err := range []error{
		nil, nil, errors.New("anything"), context.Canceled,
		refused(compliance.OperationList, 401), refused(compliance.OperationList, 403), refused(compliance.OperationDownload, 403),
		refused(compliance.OperationList, 400), refused(compliance.OperationList, 404),
		refused(compliance.OperationList, 503), refused(compliance.OperationFetch, 403), refused(compliance.OperationDownload, 404),
	} {
		_, end := tel.pass(t.Context(), "AUTH_LOG")
		end(err)
	}
	assert.Equal(t, map[string]float64{
		"AUTH_LOG success": 2, "AUTH_LOG unauthorized": 1, "AUTH_LOG forbidden": 2, "AUTH_LOG not_found": 2, "AUTH_LOG failed": 4,
	}, points(t, tt, "polls"))
}

// Each kind of error has a name of its own.
func TestErrorType(t *testing.T) {
	for want, err := range map[string]error{
		"canceled":  fmt.Errorf("list: %w", context.Canceled),
		"403":       fmt.Errorf("list files: %w", &compliance.StatusError{Op: compliance.OperationList, Status: 403}),
		"redirect":  &compliance.RedirectError{Host: "x"},
		"integrity": &compliance.IntegrityError{},
		"too_large": fmt.Errorf("download: %w", compliance.ErrTooLarge),
		"answer":    &compliance.AnswerError{},
		"no_answer": &compliance.RequestError{Op: compliance.OperationFetch, Cause: errors.New("EOF")},
		"consumer":  deliver.ErrGivenUp,
		"_OTHER":    errors.New("anything"),
	} {
		assert.Equal(t, want, errorType(err))
	}
}
