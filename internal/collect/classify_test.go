// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
)

func statusOf(op compliance.Operation, code int) error {
	return fmt.Errorf("list files: %w", &compliance.StatusError{Op: op, Status: code})
}

// TestClassify holds what each error means against the rules: how far it reaches, when
// it is worth another try, its name and the outcome of a poll that ends with it.
func TestClassify(t *testing.T) {
	const list, download, fetch = compliance.OperationList, compliance.OperationDownload, compliance.OperationFetch
	for name, tt := range map[string]struct {
		err   error
		scope Scope
		retry Retry
		label string
		poll  string
	}{
		"success":  {nil, ScopeNone, RetryNever, "", PollSuccess},
		"canceled": {fmt.Errorf("list: %w", context.Canceled), ScopeNone, RetryNever, "canceled", PollFailed},

		"list 401":         {statusOf(list, 401), ScopeKey, RetryNextPoll, "401", PollUnauthorized},
		"list 403":         {statusOf(list, 403), ScopeKey, RetryNextPoll, "403", PollForbidden},
		"list 400":         {statusOf(list, 400), ScopeType, RetryNextPoll, "400", PollNotFound},
		"list 404":         {statusOf(list, 404), ScopeType, RetryNextPoll, "404", PollNotFound},
		"list 422":         {statusOf(list, 422), ScopeType, RetryNextPoll, "422", PollFailed},
		"list 407":         {statusOf(list, 407), ScopeNetwork, RetryNextPoll, "407", PollFailed},
		"list 429":         {statusOf(list, 429), ScopeKey, RetryPause, "429", PollFailed},
		"list 408":         {statusOf(list, 408), ScopeNetwork, RetryNow, "408", PollFailed},
		"list 503":         {statusOf(list, 503), ScopeNetwork, RetryNow, "503", PollFailed},
		"list 501":         {statusOf(list, 501), ScopeNetwork, RetryNextPoll, "501", PollFailed},
		"no answer":        {&compliance.RequestError{Op: list, Cause: errors.New("EOF")}, ScopeNetwork, RetryNow, "no_answer", PollFailed},
		"a proxy's answer": {&compliance.RequestError{Op: list, Cause: &compliance.ProxyError{Status: 502}}, ScopeNetwork, RetryNow, "proxy", PollFailed},
		"a broken answer":  {&compliance.AnswerError{}, ScopeType, RetryNextPoll, "answer", PollFailed},
		"a repeated page":  {fmt.Errorf("list files: %w", compliance.ErrNotAdvancing), ScopeType, RetryNextPoll, "not_advancing", PollPartial},
		"a poll cut short": {errCut, ScopeType, RetryNextPoll, "cut", PollPartial},
		"a key file":       {&compliance.KeyError{Cause: errors.New("no such file")}, ScopeKey, RetryNextPoll, "key_file", PollFailed},

		"download 401": {statusOf(download, 401), ScopeKey, RetryNextPoll, "401", PollUnauthorized},
		"download 403": {statusOf(download, 403), ScopeKey, RetryNextPoll, "403", PollForbidden},
		"download 404": {statusOf(download, 404), ScopeFile, RetryQueue, "404", PollFailed},
		"download 400": {statusOf(download, 400), ScopeFile, RetryQueue, "400", PollFailed},
		"download 429": {statusOf(download, 429), ScopeKey, RetryPause, "429", PollFailed},
		"download 503": {statusOf(download, 503), ScopeHost, RetryNow, "503", PollFailed},

		"fetch 403":      {statusOf(fetch, 403), ScopeFile, RetryURL, "403", PollFailed},
		"fetch 401":      {statusOf(fetch, 401), ScopeFile, RetryURL, "401", PollFailed},
		"fetch 404":      {statusOf(fetch, 404), ScopeFile, RetryQueue, "404", PollFailed},
		"fetch 429":      {statusOf(fetch, 429), ScopeHost, RetryPause, "429", PollFailed},
		"fetch 500":      {statusOf(fetch, 500), ScopeHost, RetryNow, "500", PollFailed},
		"a silent host":  {&compliance.RequestError{Op: fetch, Cause: errors.New("EOF")}, ScopeHost, RetryNow, "no_answer", PollFailed},
		"a paused host":  {&limit.PausedError{For: time.Minute}, ScopeHost, RetryPause, "paused", PollFailed},
		"a redirect":     {&compliance.RedirectError{Host: "x"}, ScopeFile, RetryQueue, "redirect", PollFailed},
		"other bytes":    {&compliance.IntegrityError{}, ScopeFile, RetryQueue, "integrity", PollFailed},
		"too large":      {fmt.Errorf("download: %w", compliance.ErrTooLarge), ScopeFile, RetryQueue, "too_large", PollFailed},
		"not decodable":  {fmt.Errorf("download: %w", compliance.ErrUnreadable), ScopeFile, RetryQueue, "unreadable", PollFailed},
		"without digest": {errUnverifiable, ScopeFile, RetryQueue, "unverifiable", PollFailed},
		"consumer":       {fmt.Errorf("deliver: %w", deliver.ErrRetriesExhausted), ScopeConsumer, RetryNextPoll, "consumer", PollFailed},
		"full queue":     {fmt.Errorf("store checkpoint: %w", checkpoint.ErrQueueFull), ScopeType, RetryNextPoll, labelQueueFull, PollFailed},
		"anything else":  {errors.New("anything"), ScopeType, RetryNextPoll, "_OTHER", PollFailed},
	} {
		t.Run(name, func(t *testing.T) {
			fault := Classifier{EventType: testType, StatusCodes: []int{408, 429, 500, 502, 503, 504}}.Classify(tt.err)
			assert.Equal(t, tt.scope, fault.Scope)
			assert.Equal(t, tt.retry, fault.Retry)
			assert.Equal(t, tt.label, fault.Label)
			assert.Equal(t, tt.poll, fault.Poll)
			assert.Equal(t, tt.scope != ScopeNone, fault.Hint != "", "a hint for each fault")
			assert.NotContains(t, fault.Hint, "sk-admin-fake-key")
		})
	}
}

// TestClassifyGone proves that only the API's own download route says that a file is
// gone.
func TestClassifyGone(t *testing.T) {
	classifier := Classifier{}
	for _, code := range []int{404, 410} {
		assert.True(t, classifier.Classify(statusOf(compliance.OperationDownload, code)).Gone)
		assert.False(t, classifier.Classify(statusOf(compliance.OperationFetch, code)).Gone)
		assert.False(t, classifier.Classify(statusOf(compliance.OperationList, code)).Gone)
	}
	assert.False(t, classifier.Classify(statusOf(compliance.OperationDownload, 400)).Gone)
}

// TestClassifyStatusCodes proves that api_retry::status_codes decides what is tried
// again within a poll. The configuration refuses 401 and 403 among them.
func TestClassifyStatusCodes(t *testing.T) {
	classifier := Classifier{StatusCodes: []int{418}}
	for _, op := range []compliance.Operation{compliance.OperationList, compliance.OperationDownload, compliance.OperationFetch} {
		assert.Equal(t, RetryNow, classifier.Classify(statusOf(op, 418)).Retry, op)
	}
	assert.Equal(t, RetryNextPoll, classifier.Classify(statusOf(compliance.OperationList, 503)).Retry)
	assert.Equal(t, RetryNextPoll, classifier.Classify(statusOf(compliance.OperationList, 401)).Retry)
}
