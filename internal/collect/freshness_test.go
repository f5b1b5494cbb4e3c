// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// The API is asked half an hour after the last new file, and not before half an hour
// after the last question; a type without a file is asked for at once.
func TestFreshnessIsDue(t *testing.T) {
	now := time.Now()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, tt := range map[string]struct {
		fresh freshness
		want  bool
	}{
		"no file yet":              {freshness{}, true},
		"a file just now":          {freshness{lastFile: ago(29 * time.Minute)}, false},
		"quiet":                    {freshness{lastFile: ago(30 * time.Minute)}, true},
		"quiet, asked before":      {freshness{lastFile: ago(time.Hour), next: now.Add(time.Second)}, false},
		"quiet, asked long before": {freshness{lastFile: ago(time.Hour), next: now}, true},
	} {
		assert.Equal(t, tt.want, tt.fresh.due(now), name)
	}
}
