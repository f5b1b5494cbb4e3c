// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// backend is a section of the document.
type backend struct {
	name    string
	text    string
	blocks  []string // exporter blocks
	queries []string
	setup   string // what the queries need before them
}

var (
	fence = regexp.MustCompile("(?s)```([a-z]+)\n(.*?)```")
	row   = regexp.MustCompile(`(?m)^\| ([a-z]+) \| .{3,} \|$`)
)

// sections are the backends of the document, in its order.
func sections(t *testing.T) (backends []backend) {
	t.Helper()
	text, err := os.ReadFile("../../docs/backends.md")
	require.NoError(t, err)
	for _, part := range strings.Split(string(text), "\n## ")[2:] {
		name, body, _ := strings.Cut(part, "\n")
		b := backend{name: name, text: body}
		for _, block := range fence.FindAllStringSubmatch(body, -1) {
			lines := strings.Split(strings.TrimSpace(block[2]), "\n")
			switch {
			case block[1] == "yaml":
				b.blocks = append(b.blocks, block[2])
			case strings.HasPrefix(lines[0], "def ") || strings.HasPrefix(lines[0], "CREATE "):
				b.setup = block[2]
			default:
				if strings.HasPrefix(lines[0], "let ") {
					b.setup, lines = lines[0], lines[1:]
				}
				b.queries = append(b.queries, lines...)
			}
		}
		backends = append(backends, b)
	}
	return backends
}

// section is one backend of the document.
func section(t *testing.T, name string) backend {
	t.Helper()
	for _, b := range sections(t) {
		if b.name == name {
			return b
		}
	}
	require.FailNow(t, "no section "+name)
	return backend{}
}

// Each backend has what a reader looks for: a block, where fields land, limits,
// times, repetitions, the queue, what was checked, and five queries.
func TestEveryBackendIsDescribed(t *testing.T) {
	var names []string
	for _, b := range sections(t) {
		names = append(names, b.name)
		assert.NotEmpty(t, b.blocks, b.name)
		assert.Len(t, b.queries, 5, b.name)
		var rows []string
		for _, found := range row.FindAllStringSubmatch(b.text, -1) {
			rows = append(rows, found[1])
		}
		assert.Equal(t, []string{"attributes", "severity", "limits", "time", "repetitions", "queue", "checked"}, rows, b.name)
	}
	assert.Equal(t, []string{"Splunk", "Elasticsearch", "Datadog", "Microsoft Sentinel", "Google SecOps", "ClickHouse", "Loki", "VictoriaLogs", "Kafka", "S3"}, names)
}

// No block has a queue that answers before the backend does, but the one that the
// document itself calls unsafe.
func TestBlocksHaveSafeQueues(t *testing.T) {
	for _, b := range sections(t) {
		for _, block := range b.blocks {
			if strings.Contains(block, "azure_monitor:") {
				assert.Contains(t, b.text, "**It voids the promise**")
				continue
			}
			assert.Regexp(t, `sending_queue: \{enabled: false\}|wait_for_result: true`, block, b.name)
		}
	}
}

// Each attribute that a query asks for is one that records have.
func TestQueriesAskForAttributes(t *testing.T) {
	mapping, err := os.ReadFile("../../docs/mapping.md")
	require.NoError(t, err)
	names := map[string]bool{}
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| ").FindAllStringSubmatch(string(mapping), -1) {
		names[found[1]] = true
		names[strings.ReplaceAll(found[1], ".", "_")] = true
	}
	require.Greater(t, len(names), 100)
	asked := regexp.MustCompile(`\b(openai[._]compliance|gen_ai|user|client|log[._]record)[._][a-z_.]*[a-z]`)
	for _, b := range sections(t) {
		if b.name == "Google SecOps" {
			continue // UDM has names of its own
		}
		for _, query := range b.queries {
			found := asked.FindAllString(query, -1)
			assert.NotEmpty(t, found, "%s: %s", b.name, query)
			for _, name := range found {
				assert.True(t, names[name], "%s: no record has %s", b.name, name)
			}
		}
	}
}
