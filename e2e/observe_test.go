// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// changeConfig replaces a part of the collector's configuration.
func (r *rig) changeConfig(from, to string) {
	r.t.Helper()
	data, err := os.ReadFile(r.config)
	require.NoError(r.t, err)
	require.Contains(r.t, string(data), from)
	require.NoError(r.t, os.WriteFile(r.config, []byte(strings.Replace(string(data), from, to, 1)), 0o600))
}

// serveMetrics lets the collector serve its own metrics, as it does by default
// but for the port.
func (r *rig) serveMetrics() (addr string) {
	r.t.Helper()
	addr = freeAddr(r.t)
	_, port, err := net.SplitHostPort(addr)
	require.NoError(r.t, err)
	r.changeConfig("metrics: {level: none}",
		"metrics: {level: normal, readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "+port+"}}}}]}")
	return addr
}

func getJSON(t *testing.T, target string, into any) (status int) {
	t.Helper()
	resp, err := http.Get(target)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, json.NewDecoder(resp.Body).Decode(into), target)
	return resp.StatusCode
}

// troubled is an API under load that has a bit of everything: files that come,
// duplicates, lines that are no records, a file that is not served, a type that
// the key may not read, answers that fail, a type that is quiet.
func troubled() *fakeapi.API {
	api := fakeapi.New(fakeapi.Options{Seed: 5, Forbidden: []string{"AUDIT_LOG"}, Live: &fakeapi.Schedule{
		Types: []string{"AUTH_LOG", "CODEX_LOG"}, Since: time.Now().Add(-2 * time.Minute), Every: 500 * time.Millisecond,
		Records: 5, Duplicates: 0.2, Late: 0.1,
	}})
	lost := api.Add("AUTH_LOG", time.Now().Add(-10*time.Hour), `{"event_id":"lost","type":"AUTH_LOG"}`)
	api.Add("AUTH_LOG", time.Now().Add(-9*time.Hour), `{"event_id":"no time","type":"AUTH_LOG"}`, `not a record`)
	api.Add("AUTH_LOG", time.Now().Add(-8*time.Hour), `{"event_id":"no time","type":"AUTH_LOG","other":"bytes"}`)
	api.Add("APP_LOG", time.Now().Add(-40*time.Hour), `{"event_id":"before the start","type":"APP_LOG"}`)
	api.Script(
		fakeapi.Fault{Op: "download", FileID: lost.ID, Status: 404},
		fakeapi.Fault{Op: "list", EventType: "CODEX_LOG", Skip: 3, Times: 2, Status: 503},
	)
	return api
}

// Under a load with faults, a real Prometheus that scrapes the built collector
// has data for every query of the dashboard, evaluates every rule without an
// error, and shows each trouble where the documents say it shows.
func TestDashboard(t *testing.T) {
	r := newRig(t, troubled(), "event_types: [AUTH_LOG, CODEX_LOG, AUDIT_LOG, APP_LOG]\ndigest: {interval: 10s}\nretry_on_failure: {initial_interval: 100ms, max_interval: 200ms}")
	p := startPrometheus(t, r.serveMetrics())
	r.start()
	r.await("the first records", func() bool { return r.sink.Unique() > 100 })
	r.sink.Refuse(http.StatusServiceUnavailable)
	r.await("refusals to be scraped", func() bool {
		return p.above(`rate(otelcol_receiver_openai_compliance_batch_retries[5s])`)
	})
	r.sink.Refuse(0)
	before := r.sink.Unique()
	r.await("more records", func() bool { return r.sink.Unique() > before+50 })

	t.Run("metrics", func(t *testing.T) {
		for _, selector := range []string{
			`api_requests{operation="list",outcome="refused"}`, `api_request_duration_count{operation="fetch"}`,
			`backlog_files{event_type="AUTH_LOG"}`, `delivery_lag{event_type="AUTH_LOG"}`, `oldest_pending_expiry{event_type="AUTH_LOG"}`,
			`event_delivery_latency_count{event_type="CODEX_LOG"}`, `file_bytes{event_type="CODEX_LOG"}`,
			`files{event_type="AUTH_LOG",outcome="quarantined"}`, `quarantined_files{event_type="AUTH_LOG"}`,
			`polls{event_type="CODEX_LOG",outcome="success"}`, `polls{event_type="AUDIT_LOG",outcome="forbidden"}`,
			`rate_limit_wait_count{operation="download"}`, `rate_limit_wait_count{operation="list"}`,
			`records{event_type="AUTH_LOG",outcome="conflict"}`, `records{event_type="AUTH_LOG",outcome="duplicate"}`,
			`records{event_type="AUTH_LOG",outcome="malformed"}`, `records_without_timestamp{event_type="AUTH_LOG"}`,
		} {
			r.t = t
			r.await(selector, func() bool { return p.above("otelcol_receiver_openai_compliance_" + selector) })
		}
	})
	t.Run("dashboard", func(t *testing.T) {
		queries := dashboardQueries(t, "openai-compliance.json")
		require.Greater(t, len(queries), 20)
		for _, query := range queries {
			r.t = t
			r.await("data of "+query, func() bool { return len(p.samples(query)) > 0 })
		}
	})
	t.Run("rules", func(t *testing.T) { assertRules(t, r, p) })
}

// dashboardQueries returns the queries of a dashboard with its variables set to
// all there is.
func dashboardQueries(t *testing.T, file string) (queries []string) {
	t.Helper()
	data, err := os.ReadFile("../deploy/grafana/" + file)
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &dashboard))
	all := strings.NewReplacer("$instance", ".+", "$event_type", ".+", "$__rate_interval", "10s",
		"$user", ".*", "$source", "CODEX_TURN", "$__range", "1h")
	seen := map[int]bool{}
	for _, panel := range dashboard.Panels {
		assert.False(t, seen[panel.ID], "panel %q shares its id", panel.Title)
		seen[panel.ID] = true
		for _, target := range panel.Targets {
			query := all.Replace(target.Expr)
			assert.NotContains(t, query, "$", "a variable that the dashboard does not define")
			queries = append(queries, query)
		}
	}
	return queries
}

// assertRules holds that Prometheus could evaluate each rule, and that the alert
// on a refused key is raised for the type that the key may not read, and for no
// other.
func assertRules(t *testing.T, r *rig, p *prometheus) {
	t.Helper()
	var answer struct {
		Data struct {
			Groups []struct {
				Rules []struct {
					Name, Type, Health, LastError string
					Alerts                        []struct{ Labels map[string]string }
				}
			}
		}
	}
	r.t = t
	refused := map[string]bool{}
	r.await("the rules to be evaluated", func() bool {
		getJSON(t, p.base+"/api/v1/rules", &answer)
		for _, group := range answer.Data.Groups {
			for _, rule := range group.Rules {
				for _, alert := range rule.Alerts {
					if rule.Name == "OpenAIComplianceKeyRefused" {
						refused[alert.Labels["event_type"]] = true
					}
				}
			}
		}
		return len(refused) > 0
	})
	assert.Equal(t, map[string]bool{"AUDIT_LOG": true}, refused)
	rules := 0
	for _, group := range answer.Data.Groups {
		for _, rule := range group.Rules {
			rules++
			assert.Equal(t, "ok", rule.Health, "%s: %s", rule.Name, rule.LastError)
		}
	}
	assert.Equal(t, 19, rules)
}

// Each alert links to a section of its own in docs/operations.md, and each metric
// that a rule or a panel uses is one that the receiver has.
func TestRulesAreDocumented(t *testing.T) {
	rules, err := os.ReadFile("../deploy/prometheus/rules.yaml")
	require.NoError(t, err)
	dashboard, err := os.ReadFile("../deploy/grafana/openai-compliance.json")
	require.NoError(t, err)
	operations, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	metrics, err := os.ReadFile("../documentation.md")
	require.NoError(t, err)

	alerts := regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1)
	require.Len(t, alerts, 15)
	for _, alert := range alerts {
		assert.Contains(t, string(operations), "\n### "+alert[1]+"\n")
		assert.Contains(t, string(rules), "docs/operations.md#"+strings.ToLower(alert[1])+"\n")
	}
	name := regexp.MustCompile(`otelcol_receiver_openai_compliance_[a-z_]+`)
	for _, used := range name.FindAllString(string(rules)+string(dashboard), -1) {
		used = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(used, "")
		assert.Contains(t, string(metrics), "### "+used+"\n")
	}
	for _, defined := range name.FindAllString(string(metrics), -1) {
		assert.Contains(t, string(operations), "`"+strings.TrimPrefix(defined, "otelcol_receiver_openai_compliance_")+"`")
	}
}
