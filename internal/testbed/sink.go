// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package testbed holds what the demo and the end-to-end tests run the built
// collector with: a sink that keeps records before it answers, the collector as
// a child process, and the comparison of what came with what should have. It
// imports nothing of the receiver, so that it cannot agree with a bug of it.
package testbed

import (
	"compress/gzip"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// Delivery is one log record as it reached the sink.
type Delivery struct {
	UID, EventName, Body string
	Time                 time.Time
	Severity             plog.SeverityNumber
	Attributes           map[string]any
	Resource             map[string]any
}

// Sink is an OTLP/HTTP server for logs.
type Sink struct {
	// OnRecord, if set before Start, sees every record as it is kept.
	OnRecord func(Delivery)
	// Meet, if set before Start, is called at each moment of a request that is
	// not refused; false ends the request there.
	Meet func(at Moment, batch []Delivery) bool

	mu         sync.Mutex // guards everything below
	deliveries []Delivery
	counts     map[string]int
	requests   int
	refuse     int

	server *http.Server
	// Endpoint for an otlp_http exporter, set by Start.
	Endpoint string
}

// Moment of a request to the sink.
type Moment int

const (
	// BeforeKept is when the batch has arrived and nothing is kept.
	BeforeKept Moment = iota
	// Kept is when the batch is kept and not yet answered.
	Kept
	// Answered is when the answer is on its way.
	Answered
)

// Start listens on a free port of the loopback address.
func (s *Sink) Start() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Endpoint = "http://" + listener.Addr().String()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/logs", s.serve)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }()
	return nil
}

// Close stops the sink at once.
func (s *Sink) Close() { _ = s.server.Close() }

// Refuse makes the sink answer every request with the status, 0 to accept again.
func (s *Sink) Refuse(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = status
}

func (s *Sink) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests++
	status := s.refuse
	s.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	logs, err := readLogs(r)
	if err != nil {
		http.Error(w, "not an OTLP request", http.StatusBadRequest)
		return
	}
	batch := deliveriesIn(logs)
	if !s.meet(BeforeKept, batch) {
		return
	}
	s.keep(batch)
	if !s.meet(Kept, batch) {
		return
	}
	answer, _ := plogotlp.NewExportResponse().MarshalProto()
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer)
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	s.meet(Answered, batch)
}

func (s *Sink) meet(at Moment, batch []Delivery) bool { return s.Meet == nil || s.Meet(at, batch) }

func readLogs(r *http.Request) (plog.Logs, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		inflated, err := gzip.NewReader(r.Body)
		if err != nil {
			return plog.Logs{}, err
		}
		body = inflated
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return plog.Logs{}, err
	}
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(data); err != nil {
		return plog.Logs{}, err
	}
	return request.Logs(), nil
}

func deliveriesIn(logs plog.Logs) (batch []Delivery) {
	for _, resource := range logs.ResourceLogs().All() {
		for _, scope := range resource.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				batch = append(batch, deliveryOf(record, resource.Resource().Attributes().AsRaw()))
			}
		}
	}
	return batch
}

func deliveryOf(record plog.LogRecord, resource map[string]any) Delivery {
	attrs := record.Attributes().AsRaw()
	uid, _ := attrs["log.record.uid"].(string)
	return Delivery{
		UID: uid, EventName: record.EventName(), Body: record.Body().AsString(), Time: record.Timestamp().AsTime(),
		Severity: record.SeverityNumber(), Attributes: attrs, Resource: resource,
	}
}

func (s *Sink) keep(batch []Delivery) {
	s.mu.Lock()
	s.deliveries = append(s.deliveries, batch...)
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	for _, d := range batch {
		s.counts[d.UID]++
	}
	s.mu.Unlock()
	if s.OnRecord == nil {
		return
	}
	for _, d := range batch {
		s.OnRecord(d)
	}
}

// Deliveries returns everything kept so far.
func (s *Sink) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.deliveries)
}

// Requests counts the requests so far, refused ones included.
func (s *Sink) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

// Counts returns how often each uid was kept.
func (s *Sink) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

// Unique is how many uids were kept.
func (s *Sink) Unique() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.counts)
}

// Comparison of what came with what should have.
type Comparison struct {
	// Expected and Delivered count records, repetitions included.
	Expected, Delivered int
	// Lost uids came less often than expected, Doubled more often, Alien ones
	// were never exported.
	Lost, Doubled, Alien []string
}

// OK reports that every record came exactly as often as it should.
func (c Comparison) OK() bool { return len(c.Lost)+len(c.Doubled)+len(c.Alien) == 0 }

// Compare holds deliveries by uid against what was exported.
func Compare(want, got map[string]int) Comparison {
	var c Comparison
	for _, uid := range slices.Sorted(maps.Keys(want)) {
		c.Expected += want[uid]
		switch {
		case got[uid] < want[uid]:
			c.Lost = append(c.Lost, uid)
		case got[uid] > want[uid]:
			c.Doubled = append(c.Doubled, uid)
		}
	}
	for _, uid := range slices.Sorted(maps.Keys(got)) {
		c.Delivered += got[uid]
		if want[uid] == 0 {
			c.Alien = append(c.Alien, uid)
		}
	}
	return c
}
