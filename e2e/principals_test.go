// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// examples/workspace-and-organization.yaml: two receivers in one collector, each
// with a principal and positions of its own in the one storage. Records name whose
// they are, amounts come digit by digit as they were exported, and a restart brings
// nothing again.
func TestTwoPrincipals(t *testing.T) {
	r := newRecipe(t, "workspace-and-organization.yaml", samplesOf(t, "AUTH_LOG", "AUDIT_LOG", "COSTS"))
	r.env = append(r.env, "OPENAI_ADMIN_API_KEY="+fakeapi.DefaultKey, "OPENAI_ORGANIZATION_ID="+fakeapi.DefaultOrganization)
	n := countOf(t, "AUTH_LOG", "AUDIT_LOG", "COSTS")
	for range 2 {
		for _, d := range r.run(r.sink, n) {
			if d.EventName == "openai.compliance.costs" {
				subset(t, map[string]any{"openai.organization.id": fakeapi.DefaultOrganization}, d.Resource)
				assert.NotContains(t, d.Resource, "openai.workspace.id")
			} else {
				subset(t, map[string]any{"openai.workspace.id": fakeapi.DefaultWorkspace}, d.Resource)
				assert.NotContains(t, d.Resource, "openai.organization.id")
			}
		}
	}
	assert.Len(t, r.sink.Deliveries(), n, "delivered again after the restart")
	text, err := os.ReadFile("../testdata/records/costs.jsonl")
	require.NoError(t, err)
	var bodies []string
	for _, d := range r.sink.Deliveries() {
		if d.EventName == "openai.compliance.costs" {
			bodies = append(bodies, d.Body)
		}
	}
	assert.ElementsMatch(t, strings.Split(strings.TrimSpace(string(text)), "\n"), bodies)
}
