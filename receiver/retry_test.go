// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
)

// A server's Retry-After holds back every stream at that endpoint, a shorter one
// later does not cut it short, and it is bounded by max_retry_after.
func TestRetryAfterPausesAllStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := NewDefaultConfig().APIRetry
		gate := pace.NewGate(0)
		r := &requester{retry: cfg, gate: gate}
		tries := 0
		began := time.Now()
		other := make(chan time.Duration, 1)
		go func() { // another stream, after the first answer
			time.Sleep(time.Second)
			if gate.Enter(t.Context()) == nil {
				other <- time.Since(began)
			}
		}()
		err := r.do(t.Context(), func() error {
			if tries++; tries == 1 {
				return &compliance.StatusError{Op: compliance.OperationList, Status: http.StatusTooManyRequests, RetryAfter: 40 * time.Second}
			}
			return nil
		})
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(began), 40*time.Second)
		assert.GreaterOrEqual(t, <-other, 40*time.Second)
		r.gate.Pause(time.Second)

		r.gate.Pause(r.serverPause(&compliance.StatusError{RetryAfter: 100 * 365 * 24 * time.Hour}))
		began = time.Now()
		require.NoError(t, gate.Enter(t.Context()))
		assert.Equal(t, cfg.MaxRetryAfter, time.Since(began))
	})
}

// What is tried again within a pass, and what waits for the next one.
func TestRequesterDecides(t *testing.T) {
	status := func(op compliance.Operation, code int) error { return &compliance.StatusError{Op: op, Status: code} }
	for name, tt := range map[string]struct {
		err   error
		tries int
	}{
		"429":                     {status(compliance.OperationList, 429), 20},
		"503":                     {status(compliance.OperationDownload, 503), 20},
		"network":                 {&compliance.RequestError{Op: compliance.OperationList, Cause: errors.New("reset")}, 20},
		"401 of the API":          {status(compliance.OperationList, 401), 1},
		"403 of the API":          {status(compliance.OperationDownload, 403), 1},
		"400":                     {status(compliance.OperationList, 400), 1},
		"404 of a file":           {status(compliance.OperationDownload, 404), 1},
		"403 of the signed host":  {status(compliance.OperationFetch, 403), integrityTries},
		"bytes that do not match": {&compliance.IntegrityError{}, integrityTries},
		"too large":               {compliance.ErrTooLarge, 1},
		"a refused redirect":      {&compliance.RedirectError{}, 1},
		"a broken answer":         {&compliance.AnswerError{}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := NewDefaultConfig().APIRetry
				cfg.BackOff.MaxElapsedTime = 0
				r := &requester{retry: cfg, gate: pace.NewGate(0)}
				got := 0
				err := r.do(t.Context(), func() error {
					if got++; got == 20 {
						return nil
					}
					return tt.err
				})
				assert.Equal(t, tt.tries, got)
				if tt.tries < 20 {
					require.ErrorIs(t, err, tt.err)
				}
			})
		})
	}
}

// The tries end when max_elapsed_time is over, when retries are disabled and when
// the context ends, which cuts a long wait short.
func TestRequesterEnds(t *testing.T) {
	failing := func() error { return &compliance.RequestError{Cause: errors.New("reset")} }
	t.Run("max_elapsed_time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := &requester{retry: NewDefaultConfig().APIRetry, gate: pace.NewGate(0)}
			began := time.Now()
			require.Error(t, r.do(t.Context(), failing))
			assert.LessOrEqual(t, time.Since(began), 5*time.Minute)
			assert.Greater(t, time.Since(began), 4*time.Minute)
		})
	})
	t.Run("disabled", func(t *testing.T) {
		cfg := NewDefaultConfig().APIRetry
		cfg.BackOff.Enabled = false
		r := &requester{retry: cfg, gate: pace.NewGate(0)}
		tries := 0
		require.Error(t, r.do(t.Context(), func() error { tries++; return failing() }))
		assert.Equal(t, 1, tries)
	})
	t.Run("context", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			gate := pace.NewGate(0)
			r := &requester{retry: NewDefaultConfig().APIRetry, gate: gate}
			gate.Pause(time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, r.do(ctx, func() error {
				if err := gate.Enter(ctx); err != nil {
					return err
				}
				return failing()
			}), context.DeadlineExceeded)
		})
	})
}
