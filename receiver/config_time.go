// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

// retention is how long the API keeps a file, which is how far back "beginning"
// reaches.
const retention = timespec.Beginning

// clockSkew is how much later than the local clock an absolute start may be.
const clockSkew = time.Hour

// resolveStartFrom turns the text of start_from into the absolute time it
// means at now. The result is in UTC.
func resolveStartFrom(text string, now time.Time) (time.Time, error) {
	spec, err := timespec.Parse(text)
	if err != nil {
		return time.Time{}, err
	}
	at := spec.At(now)
	switch {
	case spec.Absolute() && at.After(now.Add(clockSkew)):
		return time.Time{}, fmt.Errorf("%s is in the future: nothing would be collected until then", secret.Quote(text))
	case !spec.Absolute() && at.After(now):
		return time.Time{}, fmt.Errorf(`%s is in the future; write "-%s" for a span back from now`, secret.Quote(text), strings.TrimLeft(strings.TrimSpace(text), "+"))
	}
	return at, nil
}

// resolveUntil turns the text of until into the absolute time it means at now.
// It may be in the future and must be later than start_from. An empty text is no
// bound, and the zero time. A boundsError comes with the time.
func resolveUntil(text string, from, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	spec, err := timespec.Parse(text)
	if err != nil {
		return time.Time{}, err
	}
	until := spec.At(now)
	if !until.After(from) {
		return until, boundsError(fmt.Sprintf("%s is %s, which is not later than start_from, %s: nothing would be collected",
			secret.Quote(text), until.Format(time.RFC3339), from.Format(time.RFC3339)))
	}
	return until, nil
}

// boundsError says that an upper bound is not later than the lower one. It is about
// a first run: later ones go by what is stored, and a lower bound like -24h has
// passed a fixed upper one by then.
type boundsError string

// Error returns the text.
func (e boundsError) Error() string { return string(e) }

// orFirstRun leaves out a boundsError that says nothing yet: a lower bound that
// moves on with the clock may have been below the upper one at the first run.
func orFirstRun(err error, from, to string) error {
	if _, ok := errors.AsType[boundsError](err); ok && !absolute(from) && absolute(to) {
		return nil
	}
	return err
}

func absolute(text string) bool {
	spec, err := timespec.Parse(text)
	return err == nil && spec.Absolute()
}

// validateTimes resolves start_from and until as of now and reports what is
// wrong with either.
func validateTimes(startFrom, until string, now time.Time) error {
	from, err := resolveStartFrom(startFrom, now)
	if err != nil {
		err = fmt.Errorf("start_from: %w", err)
		from = now.Add(-retention) // so that until is judged all the same
	}
	_, untilErr := resolveUntil(until, from, now)
	if untilErr = orFirstRun(untilErr, startFrom, until); untilErr != nil {
		err = errors.Join(err, fmt.Errorf("until: %w", untilErr))
	}
	return err
}
