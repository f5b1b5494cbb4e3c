// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/config/configretry"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
)

// integrityTries is how often a file whose bytes do not match is fetched before
// it goes to quarantine.
const integrityTries = 5

// requester sends requests to one endpoint of the API, again where api_retry
// says so.
type requester struct {
	retry APIRetryConfig
	gate  pauser
}

// pauser keeps requests back for some time.
type pauser interface{ Pause(d time.Duration) }

// do runs fn, which takes its turn by itself, until it succeeds, fails for good or
// the settings end the tries. The last error is returned as it is.
func (r *requester) do(ctx context.Context, fn func() error) error {
	return r.goOn(ctx, fn(), fn)
}

// goOn is do after a first try that has ended with err.
func (r *requester) goOn(ctx context.Context, err error, fn func() error) error {
	retries := wait.NewBackOff(configretry.BackOffConfig(r.retry.BackOff))
	for try := 1; err != nil && ctx.Err() == nil && r.again(err, try); try++ {
		next, ok := retries.Next(r.heed(err))
		if !ok || wait.Sleep(ctx, next) != nil {
			return err
		}
		err = fn()
	}
	return err
}

// heed keeps everybody's requests back for as long as the server asked.
func (r *requester) heed(err error) time.Duration {
	pause := r.serverPause(err)
	r.gate.Pause(pause)
	return pause
}

// again decides whether a failed request is worth another try in this pass.
func (r *requester) again(err error, try int) bool {
	var (
		status    *compliance.StatusError
		integrity *compliance.IntegrityError
		request   *compliance.RequestError
	)
	switch {
	case errors.As(err, &status):
		return slices.Contains(r.retry.StatusCodes, status.Status) || (urlExpired(status) && try < integrityTries)
	case errors.As(err, &integrity), errors.Is(err, compliance.ErrUnreadable):
		return try < integrityTries
	case errors.As(err, &request):
		return true
	}
	return false
}

// urlExpired is what a signed URL answers that was used too late: a new one from
// the API may do.
func urlExpired(status *compliance.StatusError) bool {
	return status.Op == compliance.OperationFetch &&
		(status.Status == http.StatusForbidden || status.Status == http.StatusUnauthorized)
}

// serverPause is how long the server asked to be left alone, within bounds.
func (r *requester) serverPause(err error) time.Duration {
	var status *compliance.StatusError
	if !r.retry.HonorRetryAfter || !errors.As(err, &status) {
		return 0
	}
	return min(status.RetryAfter, r.retry.MaxRetryAfter)
}

// keyRefused says that the API itself refused the key: asking again soon would
// not help.
func keyRefused(err error) bool {
	var status *compliance.StatusError
	return errors.As(err, &status) && status.Op != compliance.OperationFetch &&
		(status.Status == http.StatusUnauthorized || status.Status == http.StatusForbidden)
}

// fileFault says that the trouble lies with this one file, so that the others
// need not wait for it.
func fileFault(err error) bool {
	var (
		status    *compliance.StatusError
		integrity *compliance.IntegrityError
	)
	switch {
	case errors.Is(err, compliance.ErrTooLarge), errors.Is(err, compliance.ErrUnreadable), errors.As(err, &integrity):
		return true
	case keyRefused(err):
		return false
	case errors.As(err, &status):
		passing := status.Status == http.StatusTooManyRequests || status.Status == http.StatusRequestTimeout
		return status.Op != compliance.OperationList && status.Status < 500 && !passing
	}
	return false
}

// downloadFailed says that a download failed for a reason that may be this
// file's or everybody's: no answer, a server error, a body that breaks off.
func downloadFailed(err error) bool {
	var (
		status  *compliance.StatusError
		request *compliance.RequestError
	)
	switch {
	case keyRefused(err):
		return false
	case errors.As(err, &status):
		return status.Op != compliance.OperationList
	case errors.As(err, &request):
		return request.Op != compliance.OperationList
	}
	return false
}
