// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testKey is no secret: digests in the goldens are made with it.
const testKey = "a key for tests that has 32 bytes"

// variants are the settings under which every sample has a golden.
var variants = map[string]func(*Source){
	"raw":    func(*Source) {},
	"parsed": func(s *Source) { s.Parsed = true },
	"hmac":   func(s *Source) { s.Content = Content{Mode: ContentHMAC, Key: []byte(testKey)} },
	"drop":   func(s *Source) { s.Parsed, s.Content = true, Content{Mode: ContentDrop} },
}

func variant(name, eventType string) Source {
	source := sourceOf(eventType)
	source.Self = func(id string) bool { return id == "sk-...RxIA" }
	variants[name](&source)
	return source
}

// Every sample of every type gives the whole records of testdata/golden, no
// attribute more, in each kind of body and content.
// go test ./internal/record -run TestGolden -update writes them.
func TestGolden(t *testing.T) {
	total := 0
	for eventType, lines := range samples(t) {
		total += len(lines)
		for name := range variants {
			t.Run(name+"/"+eventType, func(t *testing.T) {
				logs, malformed := mapLines(NewMapper(variant(name, eventType)), lines...)
				assert.Zero(t, malformed)
				file := filepath.Join("../../testdata/golden", name, strings.ToLower(eventType)+".yaml")
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
					require.NoError(t, golden.WriteLogsToFile(file, logs))
					return
				}
				want, err := golden.ReadLogs(file)
				require.NoError(t, err)
				require.NoError(t, plogtest.CompareLogs(want, logs))
			})
		}
	}
	assert.GreaterOrEqual(t, total, 60)
}
