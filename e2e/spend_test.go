// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// turn is a CODEX_TURN of a quarter dollar and half a credit.
func turn(id, at, email string, uncached, cached, output int) string {
	return fmt.Sprintf(`{"event_id":%q,"type":"CODEX_TURN","timestamp":%q,"actor":{"type":"ACCOUNT_USER","user_id":"user-1","user_email":%q},`+
		`"payload":{"model":"gpt-5-codex","product_client_id":"CODEX_CLI","cost_usd":0.25,"estimated_cost_usd":0.125,"credits":0.5,`+
		`"token_usage":{"uncached_input_tokens":%d,"cached_input_tokens":%d,"output_tokens":%d}}}`, id, at, email, uncached, cached, output)
}

// costs is a row of COSTS with these measures of usage.
func costs(id, surface, usage string) string {
	return fmt.Sprintf(`{"event_id":%q,"type":"COSTS","timestamp":"2026-08-02T09:59:59Z","actor":{"type":"SYSTEM","id":"costs_compliance"},`+
		`"payload":{"day":"2026-08-02","hour":9,"identity":{"user_id":"user-1","email":"ada@example.com"},"surface":%q,"client":"web","model":"gpt-5",`+
		`"measures":{"usage":{%s},"billing":[{"sku":"gpt-5-input","cost":{"value":1.5,"unit":"USD"}}]}}}`, id, surface, usage)
}

// samples are the first n sample lines of a type.
func samples(t *testing.T, eventType string, n int) []string {
	t.Helper()
	text, err := os.ReadFile("../testdata/records/" + strings.ToLower(eventType) + ".jsonl")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	return lines[:min(n, len(lines))]
}

// spendRig runs examples/spend.yaml, scraped by a real Prometheus.
func spendRig(t *testing.T) (*recipe, *prometheus) {
	t.Helper()
	addr, fast := freeAddr(t), map[string]any{"rate_limit": map[string]any{"downloads_per_minute": 0, "lists_per_minute": 0}}
	r := newRecipe(t, "spend.yaml", fakeapi.New(fakeapi.Options{}), map[string]any{
		"receivers":  map[string]any{"openai_compliance/workspace": fast, "openai_compliance/organization": fast},
		"exporters":  map[string]any{"prometheus": map[string]any{"endpoint": addr}},
		"extensions": map[string]any{"file_storage/positions": map[string]any{"directory": t.TempDir()}, "file_storage/queue": map[string]any{"directory": t.TempDir()}},
	})
	r.env = append(r.env, "OPENAI_ADMIN_API_KEY="+fakeapi.DefaultKey, "OPENAI_ORGANIZATION_ID="+fakeapi.DefaultOrganization)
	return r, startPrometheus(t, addr)
}

// now is the latest number of a query without labels, -1 without one.
func (p *prometheus) now(query string) float64 {
	p.t.Helper()
	for _, values := range p.samples(query) {
		return values[len(values)-1]
	}
	return -1
}

// examples/spend.yaml: a real Prometheus has the exact tokens and costs by user,
// model and surface. A turn that CODEX_LOG tells too is counted once, so are the
// records that come late, with earlier times than others, and those that the store
// refuses for a while; and every query of the dashboard has a number.
func TestSpend(t *testing.T) {
	r, p := spendRig(t)
	hourAgo := time.Now().Add(-time.Hour)
	inLog := `{"event_id":"l1","type":"CODEX_LOG","timestamp":"2026-08-02T12:00:00Z","actor":{"type":"ACCOUNT_USER","user_email":"ada@example.com"},` +
		`"event_type":"TURN_COMPLETED","event_details":{"model":"gpt-5-codex","token_usage":{"input_tokens":1100,"output_tokens":10,"cached_input_tokens":100}}}`
	r.api.Add("CODEX_LOG", hourAgo, inLog)
	r.api.Add("CODEX_TURN", hourAgo, turn("t1", "2026-08-02T12:00:00Z", "ada@example.com", 1000, 100, 10), turn("t2", "2026-08-02T12:00:01Z", "ben@example.com", 7, 0, 3))
	r.api.Add("COSTS", hourAgo, costs("c1", "ChatGPT", `"text_input_tokens":1000,"audio_input_tokens":10,"text_output_tokens":50`),
		costs("c2", "chatgpt", `"input_total_tokens":5,"output_total_tokens":2`))
	auth, audit := samples(t, "AUTH_LOG", 30), samples(t, "AUDIT_LOG", 30)
	r.api.Add("AUTH_LOG", hourAgo, auth...)
	r.api.Add("AUDIT_LOG", hourAgo, audit...)
	r.start()
	total := 5 + len(auth) + len(audit)
	r.await("the records", func() bool { return r.sink.Unique() == total })
	want := map[string]float64{
		`sum(openai_compliance_tokens_input_total{user_email="ada@example.com",gen_ai_request_model="gpt-5-codex",openai_compliance_client_id="CODEX_CLI"})`: 1100,
		`sum(openai_compliance_tokens_input_total)`:                                                               1107,
		`sum(openai_compliance_tokens_input_cached_total)`:                                                        100,
		`sum(openai_compliance_tokens_output_total{user_email="ben@example.com"})`:                                3,
		`sum(openai_compliance_cost_usd_total{openai_compliance_event_type="CODEX_TURN"})`:                        0.5,
		`sum(openai_compliance_cost_estimated_usd_total)`:                                                         0.25,
		`sum(openai_compliance_cost_credits_total)`:                                                               1,
		`sum(openai_compliance_billed_tokens_input_total{openai_compliance_surface="chatgpt"})`:                   1015,
		`sum(openai_compliance_billed_tokens_output_total{user_email="ada@example.com"})`:                         52,
		`sum(openai_compliance_cost_usd_total{openai_compliance_surface="chatgpt",gen_ai_request_model="gpt-5"})`: 3,
		`sum(openai_compliance_records_total)`:                                                                    float64(total),
		`sum(openai_compliance_sign_ins_total)`:                                                                   float64(len(auth)),
	}
	exact := func(when string) {
		for query, number := range want {
			r.awaitWithin(20*time.Second, fmt.Sprintf("%s = %v %s, last %v", query, number, when, p.now(query)), func() bool { return p.now(query) == number })
		}
	}
	exact("at first")

	r.sink.Refuse(http.StatusServiceUnavailable)
	refused := r.sink.Requests()
	late := "2026-08-01T03:00:00Z"
	r.api.Add("CODEX_TURN", hourAgo.Add(time.Minute), turn("t3", late, "ada@example.com", 5, 1, 4))
	r.api.Add("COSTS", hourAgo.Add(time.Minute), costs("c3", "Work", `"text_input_tokens":1`))
	r.await("refusals", func() bool { return r.sink.Requests() > refused+3 })
	r.sink.Refuse(0)
	r.await("the late records", func() bool { return r.sink.Unique() == total+2 })
	for query, more := range map[string]float64{
		`sum(openai_compliance_tokens_input_total{user_email="ada@example.com",gen_ai_request_model="gpt-5-codex",openai_compliance_client_id="CODEX_CLI"})`: 6,
		`sum(openai_compliance_tokens_input_total)`: 6, `sum(openai_compliance_tokens_input_cached_total)`: 1,
		`sum(openai_compliance_cost_usd_total{openai_compliance_event_type="CODEX_TURN"})`: 0.25,
		`sum(openai_compliance_cost_estimated_usd_total)`:                                  0.125, `sum(openai_compliance_cost_credits_total)`: 0.5,
		`sum(openai_compliance_records_total)`: 2,
	} {
		want[query] += more
	}
	want[`sum(openai_compliance_cost_usd_total{openai_compliance_surface="work"})`] = 1.5
	exact("after late records and refusals")
	assert.Len(t, r.sink.Deliveries(), total+2, "delivered again")

	queries := dashboardQueries(t, "openai-compliance-records.json")
	require.Greater(t, len(queries), 15)
	for _, query := range queries {
		r.awaitWithin(20*time.Second, "a number of "+query, func() bool { return p.above(query) })
	}
	spent := strings.NewReplacer("$user", ".*", "$__range", "1h").Replace
	first := spent(`sum (label_replace(increase(openai_compliance_tokens_input_total{user_email=~"$user"}[$__range]), "part", "growth", "job", ".*") or ` +
		`label_replace(min_over_time(openai_compliance_tokens_input_total{user_email=~"$user"}[$__range]) unless openai_compliance_tokens_input_total{user_email=~"$user"} offset $__range, "part", "first", "job", ".*"))`)
	assert.Contains(t, queries, first)
	assert.InDelta(t, 1113, p.now(first), 6, "what a series begins with is spent, too")
}
