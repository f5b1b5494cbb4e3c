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

	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
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
	assert.Greater(t, spans["GET"], 3, "a span of each list and download")
}

// A poll and a file have a span each, in the context that the requests get; it
// names the kind of an error and never its text.
func TestSpansOfPollAndFile(t *testing.T) {
	tel, tt := newTestTelemetry(t)
	poll, endPoll := tel.startPollSpan(t.Context(), auth)
	_, endFile := tel.startFileSpan(poll, auth, compliance.File{ID: "eclf_1", Size: 7})
	endFile(fmt.Errorf("deliver: %w: content of a record", deliver.ErrRetriesExhausted))
	endPoll(nil, collect.Fault{Poll: collect.PollSuccess})
	_, endPoll = tel.startPollSpan(t.Context(), auth)
	endPoll(errors.New("content of a record"), collect.Fault{Label: "answer"})

	spans := tt.SpanRecorder.Ended()
	require.Len(t, spans, 3)
	file, whole, failed := spans[0], spans[1], spans[2]
	assert.Equal(t, "openai_compliance.file", file.Name())
	assert.Equal(t, "openai_compliance.poll", whole.Name())
	assert.Equal(t, whole.SpanContext().SpanID(), file.Parent().SpanID())
	assert.Equal(t, "eclf_1", spanAttr(file, "openai.compliance.file.id").AsString())
	assert.Equal(t, int64(7), spanAttr(file, "openai.compliance.file.size").AsInt64())
	assert.Equal(t, "consumer", spanAttr(file, "error.type").AsString())
	assert.Equal(t, sdktrace.Status{Code: codes.Error}, file.Status())
	assert.Equal(t, "AUTH_LOG", spanAttr(whole, "openai.compliance.event.type").AsString())
	assert.Equal(t, codes.Unset, whole.Status().Code)
	assert.Equal(t, "answer", spanAttr(failed, "error.type").AsString())
	assert.Equal(t, sdktrace.Status{Code: codes.Error}, failed.Status())
	for _, span := range spans {
		assert.NotContains(t, spanText(span), "content")
	}
}

// A poll counts by how it ended; a 404 of one file is not one of the principal,
// and a poll that a shutdown ends is none.
func TestPollOutcomes(t *testing.T) {
	tt := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tt.Shutdown(context.WithoutCancel(t.Context()))) })
	r, err := newReporter(&host{nil, &statuses{}}, tt.NewTelemetrySettings(), []string{"AUTH_LOG"}, 1)
	require.NoError(t, err)
	t.Cleanup(r.close)
	r.addStream(t.Context(), auth)
	status := func(op compliance.Operation, code int) error {
		return fmt.Errorf("list files: %w", &compliance.StatusError{Op: op, Status: code})
	}
	for _, err := range []error{
		nil, nil, errors.New("anything"), context.Canceled, fmt.Errorf("list files: %w", compliance.ErrNotAdvancing),
		status(compliance.OperationList, 401), status(compliance.OperationList, 403), status(compliance.OperationDownload, 403),
		status(compliance.OperationList, 400), status(compliance.OperationList, 404),
		status(compliance.OperationList, 503), status(compliance.OperationFetch, 403), status(compliance.OperationDownload, 404),
	} {
		_, end := r.StartPoll(t.Context(), auth)
		end(collect.PollReport{Err: err, Fault: collect.Classifier{}.Classify(err), Canceled: errors.Is(err, context.Canceled)})
	}
	assert.Equal(t, map[string]float64{
		"AUTH_LOG success": 2, "AUTH_LOG partial": 1, "AUTH_LOG unauthorized": 1, "AUTH_LOG forbidden": 2, "AUTH_LOG not_found": 2, "AUTH_LOG failed": 4,
	}, points(t, tt, "polls"))
}
