// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// store is the log database, by its HTTP interface.
type store struct{ base string }

var client = &http.Client{Timeout: 10 * time.Second}

func (s *store) answers() bool {
	resp, err := client.Get(s.base + "/health")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// count returns how many records there are, and how many different ones.
func (s *store) count(ctx context.Context) (records, different int, err error) {
	query := "* | stats count() records, count_uniq(log.record.uid) different"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+"/select/logsql/query?query="+url.QueryEscape(query), http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		Records   int `json:"records,string"`
		Different int `json:"different,string"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, 0, fmt.Errorf("count records: %w", err)
	}
	return answer.Records, answer.Different, nil
}

// page is the address of the database's page with a query to run.
func (s *store) page(query string) string {
	return s.base + "/select/vmui/#/?" + strings.ReplaceAll(url.Values{
		"query": {query}, "g0.range_input": {"1h"}, "g0.relative_time": {"last_1_hour"},
	}.Encode(), "+", "%20")
}

// query is a question in the database's language.
type query struct{ about, text string }

// queries to try.
var queries = []query{
	{"failed sign-ins", `openai.compliance.event.type:AUTH_LOG openai.compliance.outcome:in(failure, blocked) | fields _time, user.email, openai.compliance.action, client.address`},
	{"top users", `user.email:* | stats by (user.email) count() records | sort by (records desc) | limit 10`},
	{"admin actions", `openai.compliance.event.type:AUDIT_LOG openai.compliance.privilege:ADMIN user.email:* | stats by (openai.compliance.action, user.email) count() records | sort by (records desc)`},
	{"token use", `gen_ai.usage.output_tokens:* | stats by (user.email) sum(gen_ai.usage.input_tokens) input, sum(gen_ai.usage.output_tokens) output | sort by (output desc)`},
}

// detectionLines are the rules of deploy/sigma, one a line: the title and the query.
//
//go:embed detections.tsv
var detectionLines string

func detections() (out []query) {
	for line := range strings.Lines(detectionLines) {
		about, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		out = append(out, query{about, text})
	}
	return out
}

// tell prints where to look and what to ask.
func (d *demo) tell(s *store) {
	fmt.Printf("Simulated API  %s\nLog database   %s/select/vmui/\n\nQueries to try, each with a link that runs it:\n", d.api.URL, s.base)
	for _, q := range queries {
		fmt.Printf("\n  %s\n    %s\n    %s\n", q.about, q.text, s.page(q.text))
	}
	fmt.Print("\nDetections of deploy/sigma, each with a link that runs it; some find nothing here:\n")
	for _, q := range detections() {
		fmt.Printf("\n  %s\n    %s\n", q.about, s.page(q.text))
	}
	fmt.Print("\nNew files keep coming. Ctrl-C ends it.\n\n")
}
