// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/benchdata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// fileSize is where the API ends a file.
const fileSize = 15_000_000

// source is a simulated API whose files are made when they are asked for, so that a
// backlog of many gigabytes needs no memory of this process.
type source struct {
	api     *fakeapi.API
	storage *httptest.Server
	ids     []string
	records int
	bytes   int64

	mu    sync.Mutex // guards made
	made  map[string]func() []byte
	fetch int
}

// newSource plants n files of each type, of about the given size.
func newSource(samples string, types []string, n, size int) (*source, error) {
	s := &source{api: fakeapi.New(fakeapi.Options{}), made: map[string]func() []byte{}}
	s.storage = httptest.NewServer(http.HandlerFunc(s.serve))
	if err := s.api.Start("", ""); err != nil {
		return nil, err
	}
	s.api.SetStorageURL(s.storage.URL)
	begin := time.Now().Add(-20 * time.Hour)
	for i, eventType := range types {
		t, err := benchdata.Load(samples, eventType)
		if err != nil {
			return nil, err
		}
		model := t.Content(uint64(i), size)
		for file := range n {
			seed := uint64(i<<32 | file)
			s.plant(eventType, begin.Add(time.Duration(file)*time.Minute), func() []byte {
				content := bytes.Clone(model)
				benchdata.Renew(content, seed)
				return content
			})
		}
	}
	return s, nil
}

func (s *source) plant(eventType string, end time.Time, made func() []byte) {
	content := made()
	file := s.api.AddContent(eventType, end, content, []string{})
	file.Content = nil
	s.made[file.ID] = made
	s.ids = append(s.ids, file.ID)
	s.records += bytes.Count(content, []byte{'\n'})
	s.bytes += int64(len(content))
}

// keep holds every file in memory, so that making them takes no time from what is
// measured.
func (s *source) keep() {
	for id, made := range s.made {
		content := made()
		s.made[id] = func() []byte { return content }
	}
}

// serve answers as the storage host does.
func (s *source) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	made := s.made[path.Base(r.URL.Path)]
	s.fetch++
	s.mu.Unlock()
	if made == nil {
		http.NotFound(w, r)
		return
	}
	content := made()
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

// fetched counts the downloads so far.
func (s *source) fetched() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fetch
}

func (s *source) urls() (urls []string) {
	for _, id := range s.ids {
		urls = append(urls, s.storage.URL+"/"+id)
	}
	return urls
}

func (s *source) close() {
	s.api.Close()
	s.storage.Close()
}

func (s *source) String() string {
	return fmt.Sprintf("%d files, %d records, %.2f GB", len(s.ids), s.records, float64(s.bytes)/1e9)
}
