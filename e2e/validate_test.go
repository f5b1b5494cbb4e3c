// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exampleEnv gives every variable that the examples use a value of its kind.
func exampleEnv(t *testing.T) []string {
	t.Helper()
	return append(os.Environ(),
		"OPENAI_COMPLIANCE_API_KEY=sk-admin-example", "OPENAI_ADMIN_API_KEY=sk-admin-example",
		"OPENAI_WORKSPACE_ID=0f8fad5b-d9cb-469f-a165-70867728950e", "OPENAI_ORGANIZATION_ID=org-p13k3klgno5cqxbf0q8hpgrk",
		"OPENAI_COMPLIANCE_HMAC_KEY=000102030405060708090a0b0c0d0e0f", "COLLECTOR_ADDRESS=203.0.113.20",
		"OPENAI_COMPLIANCE_STATE="+t.TempDir(), "STATE_DIRECTORY="+t.TempDir(),
		"DEMO_ENDPOINT=http://127.0.0.1:8080/v1/compliance", "DEMO_SINK=http://127.0.0.1:4318", "DEMO_STORAGE="+t.TempDir(),
	)
}

func validate(t *testing.T, file string) {
	t.Helper()
	cmd := exec.Command(binary(t), "validate", "--config", file)
	cmd.Env = exampleEnv(t)
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s:\n%s", file, out)
}

// The collector accepts every configuration in examples, testdata and the demo.
func TestValidateFiles(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../examples/*.yaml", "../testdata/*.yaml", "../cmd/*/*.yaml"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, found, pattern)
		files = append(files, found...)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { validate(t, file) })
	}
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// The collector accepts every collector configuration that a document shows.
func TestValidateDocuments(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	require.NoError(t, err)
	count := 0
	for _, document := range append(documents, "../README.md") {
		text, err := os.ReadFile(document)
		require.NoError(t, err)
		for i, block := range yamlBlock.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(block[1], "\nservice:") {
				continue // a fragment, such as an entry for builder-config.yaml
			}
			count++
			t.Run(filepath.Base(document)+"/"+strconv.Itoa(i), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "config.yaml")
				require.NoError(t, os.WriteFile(file, []byte(block[1]), 0o600))
				validate(t, file)
			})
		}
	}
	assert.Positive(t, count, "README.md shows no configuration")
}

// Every example sets service.name, so that a backend can tell whose records
// these are.
func TestExamplesSetServiceName(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Contains(t, string(text), "key: service.name", file)
	}
}
