// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

// opaquePattern is a word as keys are.
var opaquePattern = regexp.MustCompile(`[A-Za-z0-9]{32}`)

var replayNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// eventTypes of the replay.
func (r *ReplayConfig) eventTypes(c *Config) []string {
	if len(r.EventTypes) > 0 {
		return r.EventTypes
	}
	return c.EventTypes
}

// validateBounds resolves from and to at now. A boundsError says that nothing would be
// collected.
func (r *ReplayConfig) validateBounds(now time.Time) error {
	from, fromErr := replayTime("from", r.From, now)
	to, toErr := replayTime("to", r.To, now)
	if err := errors.Join(fromErr, toErr); err != nil {
		return err
	}
	if !to.After(from) {
		return boundsError(fmt.Sprintf("to: %s is %s, which is not later than from, %s", secret.Quote(r.To), to.Format(time.RFC3339), from.Format(time.RFC3339)))
	}
	return nil
}

func replayTime(key, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, fmt.Errorf("%s: missing; a replay has two bounds, for example from: -7d and to: now", key)
	}
	spec, err := timespec.Parse(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: %w", key, err)
	}
	at := spec.At(now)
	if at.After(now.Add(clockSkew)) {
		return time.Time{}, fmt.Errorf("%s: %s is in the future; a replay is about what was exported before", key, secret.Quote(text))
	}
	return at, nil
}

// validateReplays reports what is wrong with each replay.
func (c *Config) validateReplays() error {
	var errs []error
	names := map[string]bool{}
	for i := range c.Replay {
		r := &c.Replay[i]
		fault := func(err error) {
			if err != nil {
				errs = append(errs, fmt.Errorf("replay::%d: %w", i, err))
			}
		}
		switch {
		case !replayNamePattern.MatchString(r.Name):
			fault(fmt.Errorf("name: %s must be 1 to 64 letters, digits, dots, underscores or hyphens; a replay runs once for each name", secret.Quote(r.Name)))
		case opaquePattern.MatchString(r.Name):
			fault(fmt.Errorf("name: %s has 32 letters and digits in a row; the name is shown and stored, so write one that is no key", secret.Quote(r.Name)))
		case names[r.Name]:
			fault(fmt.Errorf("name: %s is used twice", secret.Quote(r.Name)))
		}
		names[r.Name] = true
		for _, err := range r.faults {
			fault(err)
		}
		if len(r.faults) == 0 {
			fault(orFirstRun(r.validateBounds(time.Now()), r.From, r.To))
		}
		if len(r.EventTypes) > 0 {
			fault(c.checkEventTypes(r.EventTypes))
		}
	}
	return errors.Join(errs...)
}
