// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package fakeapi simulates OpenAI's compliance log API on real HTTP: an API
// host that lists files and answers downloads with a redirect, and a storage host
// behind expiring signed URLs. It imports nothing of this project, so that it
// cannot agree with a bug of it.
package fakeapi

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Retention is how long a file is served.
const Retention = 30 * 24 * time.Hour

// MaxFileSize is where a file ends and the next begins, in bytes.
const MaxFileSize = 15_000_000

// Options of an API; the zero value of each field has a sensible meaning.
type Options struct {
	// Seed decides ids and contents.
	Seed uint64
	// Key that is accepted; default "sk-admin-fake-key".
	Key string
	// WorkspaceID and OrganizationID that exist; defaults are DefaultWorkspace
	// and DefaultOrganization.
	WorkspaceID, OrganizationID string
	// MoreTypes exist beside the known ones, for either kind of principal.
	MoreTypes []string
	// Forbidden types answer 403, as for a key without their scope.
	Forbidden []string
	// Inclusive returns a file whose end_time equals `after`, as has been seen
	// live; the published description says strictly later.
	Inclusive bool
	// PageLimit caps the files of a page below the 100 of the real API.
	PageLimit int
	// URLLife is how long a signed URL works; default one minute.
	URLLife time.Duration
	// Lists and Downloads allowed in a minute; 0 is no limit.
	ListsPerMinute, DownloadsPerMinute int
	// StorageURL is where signed URLs point to, set by Start.
	StorageURL string
	// Now is the API's clock; default time.Now.
	Now func() time.Time
	// Direct answers a download with 200 and the body, instead of a redirect.
	Direct bool
	// Live adds files as time passes.
	Live *Schedule
}

// Identifiers that exist unless Options name others.
const (
	DefaultKey          = "sk-admin-fake-key"
	DefaultWorkspace    = "0f8fad5b-d9cb-469f-a165-70867728950e"
	DefaultOrganization = "org-p13k3klgno5cqxbf0q8hpgrk"
)

// File is one exported file.
type File struct {
	ID, EventType, Name string
	EndTime             time.Time
	// SHA256 and Size as listed.
	SHA256  string
	Size    int64
	Content []byte
	// EventIDs of its records, in order; empty for a line without one.
	EventIDs []string
	// VisibleFrom is when the listing begins to show it.
	VisibleFrom time.Time
}

// Request is one request that a host has seen.
type Request struct {
	// Host is "api" or "storage".
	Host, Path, Query string
	Header            http.Header
	At                time.Time
}

// API is a running simulation. It is safe for concurrent use.
type API struct {
	opts Options

	mu        sync.Mutex // guards everything below
	files     map[string][]*File
	byID      map[string]*File
	generated map[string]*generator
	faults    []*Fault
	requests  []Request
	windows   map[string]*window

	servers []*http.Server
	// URL of the API host's base, set by Start: what a client is configured with.
	URL string
}

// New returns an API that is not yet listening.
func New(opts Options) *API {
	opts.Key = cmp.Or(opts.Key, DefaultKey)
	opts.WorkspaceID = cmp.Or(opts.WorkspaceID, DefaultWorkspace)
	opts.OrganizationID = cmp.Or(opts.OrganizationID, DefaultOrganization)
	opts.URLLife = cmp.Or(opts.URLLife, time.Minute)
	opts.PageLimit = cmp.Or(opts.PageLimit, 100)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &API{
		opts: opts, files: map[string][]*File{}, byID: map[string]*File{},
		generated: map[string]*generator{}, windows: map[string]*window{},
	}
}

// Start serves both hosts on ports of their own, by default free ones of the
// loopback address.
func (a *API) Start(apiAddr, storageAddr string) error {
	storageURL, err := a.serve(cmp.Or(storageAddr, "127.0.0.1:0"), a.StorageHandler())
	if err != nil {
		return err
	}
	apiURL, err := a.serve(cmp.Or(apiAddr, "127.0.0.1:0"), a.Handler())
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.opts.StorageURL = cmp.Or(a.opts.StorageURL, storageURL)
	a.URL = apiURL + "/v1/compliance"
	return nil
}

func (a *API) serve(addr string, handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	a.servers = append(a.servers, server)
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

// Close stops both hosts at once.
func (a *API) Close() {
	for _, server := range a.servers {
		_ = server.Close()
	}
}

// SetStorageURL makes signed URLs point elsewhere.
func (a *API) SetStorageURL(base string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.opts.StorageURL = base
}

// Add exports one file with the given lines now listed, and returns it.
func (a *API) Add(eventType string, endTime time.Time, lines ...string) *File {
	content := []byte(strings.Join(lines, "\n"))
	if len(lines) > 0 {
		content = append(content, '\n')
	}
	return a.AddContent(eventType, endTime, content, eventIDs(content))
}

// AddContent exports one file with exact content.
func (a *API) AddContent(eventType string, endTime time.Time, content []byte, ids []string) *File {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.addLocked(eventType, endTime, content, ids)
}

func (a *API) addLocked(eventType string, endTime time.Time, content []byte, ids []string) *File {
	endTime = endTime.UTC().Truncate(time.Microsecond)
	sum := sha256.Sum256(content)
	name := sha256.Sum256(fmt.Appendf(nil, "%d/%s/%d", a.opts.Seed, eventType, len(a.files[eventType])))
	file := &File{
		ID: "eclf_" + hex.EncodeToString(name[:12]), EventType: eventType, EndTime: endTime,
		Name:   fmt.Sprintf("%s_%s.jsonl", eventType, endTime.Format("2006-01-02T15:04:05.000000-07:00")),
		SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), Content: content, EventIDs: ids,
	}
	// Behind those of the same time.
	at, _ := slices.BinarySearchFunc(a.files[eventType], endTime, func(f *File, end time.Time) int {
		if f.EndTime.After(end) {
			return 1
		}
		return -1
	})
	a.files[eventType] = slices.Insert(a.files[eventType], at, file)
	a.byID[file.ID] = file
	return file
}

// Files returns the files of a type that exist by now, oldest first; with no
// type, those of every type.
func (a *API) Files(eventType string) []*File {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.advanceLocked()
	if eventType != "" {
		return slices.Clone(a.files[eventType])
	}
	var all []*File
	for _, t := range slices.Sorted(maps.Keys(a.files)) {
		all = append(all, a.files[t]...)
	}
	return all
}

// blank is what a line may consist of and still hold nothing.
const blank = " \t\r\n"

// Expected returns how often each record of the given files should reach a
// consumer that nothing deduplicates for, by uid: the event id or "file:line".
func Expected(files []*File) map[string]int {
	want := map[string]int{}
	for _, file := range files {
		ids, number := file.EventIDs, 0
		for line := range bytes.Lines(file.Content) {
			number++
			if len(bytes.Trim(line, blank)) == 0 {
				continue
			}
			id := ""
			if len(ids) > 0 {
				id, ids = ids[0], ids[1:]
			}
			want[cmp.Or(id, fmt.Sprintf("%s:%d", file.ID, number))]++
		}
	}
	return want
}

// Requests returns everything both hosts have been asked, oldest first.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// maxRequests bounds the memory of a long trial; older requests are forgotten.
const maxRequests = 100_000

func (a *API) recordLocked(host string, r *http.Request) {
	if len(a.requests) >= maxRequests {
		a.requests = a.requests[maxRequests/2:]
	}
	a.requests = append(a.requests, Request{
		Host: host, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), At: a.opts.Now(),
	})
}
