// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// prometheus is a running server that scrapes one collector and has our rules.
type prometheus struct {
	t    *testing.T
	base string
}

func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed (scripts/ci-packages.sh installs it)")
	}
	dir, addr := t.TempDir(), freeAddr(t)
	rules, err := filepath.Abs("../deploy/prometheus/rules.yaml")
	require.NoError(t, err)
	config := filepath.Join(dir, "prometheus.yaml")
	require.NoError(t, os.WriteFile(config, []byte(fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: openai-compliance
    static_configs: [{targets: [%q]}]
`, rules, target)), 0o600))
	log := filepath.Join(dir, "prometheus.log")
	server, err := testbed.StartProgram(log, nil, program,
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr)
	require.NoError(t, err)
	t.Cleanup(func() {
		server.Kill()
		if t.Failed() {
			text, _ := os.ReadFile(log)
			t.Logf("prometheus's log:\n%s", text)
		}
	})
	p := &prometheus{t: t, base: "http://" + addr}
	require.Eventually(t, func() bool {
		resp, err := http.Get(p.base + "/-/ready")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, 30*time.Second, 50*time.Millisecond)
	return p
}

// samples returns the numbers that a query gave in the last half minute, by the
// labels of their series.
func (p *prometheus) samples(query string) map[string][]float64 {
	p.t.Helper()
	now := time.Now()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	getJSON(p.t, p.base+"/api/v1/query_range?"+url.Values{
		"query": {query}, "step": {"1"},
		"start": {strconv.FormatInt(now.Add(-30*time.Second).Unix(), 10)}, "end": {strconv.FormatInt(now.Unix(), 10)},
	}.Encode(), &answer)
	require.Equal(p.t, "success", answer.Status, "%s: %s", query, answer.Error)
	found := map[string][]float64{}
	for _, series := range answer.Data.Result {
		for _, value := range series.Values {
			number, err := strconv.ParseFloat(value[1].(string), 64)
			require.NoError(p.t, err)
			if !math.IsNaN(number) {
				name := fmt.Sprint(series.Metric)
				found[name] = append(found[name], number)
			}
		}
	}
	return found
}

// above reports whether a query gave a number above zero.
func (p *prometheus) above(query string) bool {
	for _, values := range p.samples(query) {
		for _, value := range values {
			if value > 0 {
				return true
			}
		}
	}
	return false
}
