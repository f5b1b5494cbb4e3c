// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"

	"go.opentelemetry.io/collector/component"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// asleep is how long a receiver is off that sleeps.
const asleep = 35 * 24 * time.Hour

// day is how long trouble lasts; after it the world calms down and the receiver
// catches up.
const day = 24 * time.Hour

var storageID = component.MustNewID("file_storage")

// plan is everything that is drawn from a seed before the run begins.
type plan struct {
	seed uint64
	rng  *rand.Rand

	api     fakeapi.Options
	types   []string
	quiet   string // a type without files
	crowd   string // a type with hundreds of files
	added   string // a type that a restart adds
	backlog time.Duration
	old     bool          // the backlog reaches back to where files expire
	sleeps  bool          // at the end the receiver is off for longer than files live
	outage  time.Duration // how long the receiver is off on the way
	offAt   time.Duration // when that begins
	longer  time.Duration // how much longer than a day the trouble lasts
	until   time.Duration // upper bound of the collection; 0 is none
	replays []plannedReplay
	files   []plannedFile
	cfg     *receiver.Config
	span    time.Duration // of start_from
	windows []window
	events  []happening
	// strictWindow is set when deduplication stays as it is, with room for all.
	strictWindow bool
	faulted      map[int]bool   // files that have a fault of their own
	odd          map[int]oddity // of the entries of files
}

// plannedFile is a file of the world. Times are measured from its begin.
type plannedFile struct {
	eventType string
	end, seen time.Duration
	content   string
}

// draw plans the world of a seed.
func draw(seed uint64) *plan {
	p := newPlan(seed)
	p.drawTypes()
	p.apart("crowd", (*plan).drawCrowd)
	p.apart("longer", (*plan).drawLonger)
	p.drawConfig()
	p.drawBounds()
	for _, eventType := range p.types {
		if eventType != p.quiet {
			p.drawFiles(eventType)
		}
	}
	p.drawEvents()
	p.apart("scopes", (*plan).drawScopes)
	p.apart("clocks", (*plan).drawClocks)
	p.apart("ties", (*plan).drawTies)
	p.apart("more", (*plan).drawMore)
	p.apart("entries", (*plan).drawEntries)
	p.drawReplay()
	p.drawOutage()
	return p
}

func newPlan(seed uint64) *plan {
	p := &plan{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x5eed)), faulted: map[int]bool{}, odd: map[int]oddity{}, cfg: baseConfig()}
	if seed%2 == 1 { // not drawn, so that digests change nothing else of a plan
		p.cfg.Digest.Interval = time.Duration(1+seed%3) * time.Hour
	}
	return p
}

// apart lets one kind of trouble be drawn from numbers of its own, so that it changes
// nothing of the rest.
func (p *plan) apart(kind string, draw func(*plan)) {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(kind))
	before := p.rng
	defer func() { p.rng = before }()
	p.rng = rand.New(rand.NewPCG(p.seed, hash.Sum64()))
	draw(p)
}

func (p *plan) chance(share float64) bool { return p.rng.Float64() < share }

// between draws a time from a range.
func (p *plan) between(from, to time.Duration) time.Duration {
	return from + time.Duration(p.rng.Int64N(int64(to-from)+1)).Truncate(time.Microsecond)
}

func pick[T any](p *plan, of ...T) T { return of[p.rng.IntN(len(of))] }

func (p *plan) drawTypes() {
	names := []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG", "CONVERSATION_MESSAGE", "APP_LOG"}
	p.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	p.types = names[:1+p.rng.IntN(4)]
	if n := len(p.types); n > 1 {
		if p.chance(0.6) {
			p.quiet = p.types[n-1]
		}
		if p.chance(0.4) {
			p.added = p.types[0]
		}
	}
	p.backlog = time.Duration(1+p.rng.IntN(6)) * day
	if p.old, p.sleeps = p.chance(0.1), p.chance(0.1); p.old {
		p.backlog = fakeapi.Retention
	}
	p.api = fakeapi.Options{
		Seed: p.seed, Inclusive: p.chance(0.5), PageLimit: pick(p, 3, 4, 7, 20, 100),
		URLLife: pick(p, 5*time.Second, time.Minute), StorageURL: "http://" + storageHost,
	}
}

// baseConfig is what no seed changes. Waits are not jittered, so that a seed shows
// the same twice, as far as goroutines of one time run in the same order.
func baseConfig() *receiver.Config {
	cfg := receiver.NewDefaultConfig()
	cfg.APIKey = configopaque.String(fakeapi.DefaultKey)
	cfg.WorkspaceID = fakeapi.DefaultWorkspace
	cfg.StorageID = &storageID
	cfg.HTTP.Endpoint = "http://" + apiHost + "/v1/compliance"
	cfg.APIRetry.BackOff.RandomizationFactor, cfg.RetryOnFailure.RandomizationFactor = 0, 0
	return cfg
}

// drawConfig draws the configuration of the first receiver.
func (p *plan) drawConfig() {
	cfg := p.cfg
	for _, t := range p.types {
		if t != p.added {
			cfg.EventTypes = append(cfg.EventTypes, t)
		}
	}
	p.span = p.between(p.backlog/2, p.backlog*11/10).Truncate(time.Hour)
	if p.old {
		p.span = p.backlog
	}
	cfg.StartFrom = fmt.Sprintf("-%dh", int(p.span/time.Hour))
	cfg.OnPermanentError = pick(p, "block", "drop", "drop", "quarantine", "quarantine")
	cfg.Download.Verify = pick(p, "lenient", "strict")
	cfg.Download.MemoryLimit = pick[int64](p, 1, 2000, 48<<20)
	cfg.Deduplication.Window = pick(p, 0, 2*time.Hour, 8*time.Hour, day)
	cfg.Deduplication.MaxEvents = pick(p, 200, 4000, 1_000_000)
	p.strictWindow = cfg.Deduplication.Window > 0 && cfg.Deduplication.MaxEvents > 4000
	limit := pick(p, 0, 15, 30, 60)
	cfg.RateLimit = receiver.RateLimitConfig{ListsPerMinute: limit, DownloadsPerMinute: limit}
	p.api.ListsPerMinute, p.api.DownloadsPerMinute = limit, limit
	p.changeSettings()
}

// changeSettings draws what an operator may change at any restart.
func (p *plan) changeSettings() {
	p.cfg.PollInterval = pick(p, 5*time.Minute, 10*time.Minute, 20*time.Minute, 30*time.Minute)
	p.cfg.InitialDelay = pick(p, time.Second, time.Minute)
	p.cfg.Overlap = pick(p, 30*time.Minute, time.Hour, 3*time.Hour)
	p.cfg.Batch.MaxRecords = pick(p, 2, 5, 12, 1000)
	p.cfg.Batch.MaxBytes = pick(p, 300, 3000, 1<<20)
	p.cfg.Download.Concurrency = pick(p, 1, 4)
	p.changeCadence()
}

// drawFiles plans the files of one type: of the backlog, and of the day to come.
func (p *plan) drawFiles(eventType string) {
	every := max(10*time.Minute, (p.backlog+p.length())/time.Duration(50+p.rng.IntN(100)))
	if eventType == p.crowd {
		every = (p.backlog + p.length()) / 300
	}
	w := &writer{plan: p, eventType: eventType}
	until := p.length()
	if p.sleeps {
		until = day + asleep - time.Hour // before it is on again
	}
	for _, end := range p.edges() {
		p.addTies(w, end)
	}
	for at := -p.backlog; at < until; at += every {
		if p.old && at < 8*time.Hour-p.backlog {
			at += 10*time.Minute - every
		}
		end := (at + p.between(0, every/2)).Truncate(time.Microsecond)
		if end >= until {
			break
		}
		ties := 1
		if p.chance(0.15) {
			ties = 2 + p.rng.IntN(min(p.api.PageLimit-1, 6)-1)
		}
		for range ties {
			p.files = append(p.files, plannedFile{eventType: eventType, end: end, seen: p.visible(end), content: w.file(end)})
		}
		if p.chance(0.05) { // a neighbor, as near as the API's times allow
			end += time.Microsecond
			p.files = append(p.files, plannedFile{eventType: eventType, end: end, seen: p.visible(end), content: w.file(end)})
		}
	}
}

// visible draws when the listing begins to show a file: while the day lasts.
func (p *plan) visible(end time.Duration) time.Duration {
	switch x := p.rng.Float64(); {
	case end > p.length():
		return end
	case x < 0.05:
		return min(end+p.between(time.Second, p.cfg.Overlap), p.length())
	case x < 0.07:
		return min(end+p.between(time.Hour, 20*time.Hour), p.length())
	}
	return end
}

// writer makes the lines of one type.
type writer struct {
	*plan
	eventType string
	count     int
	recent    []written
}

// written is a record that a later file may bring again.
type written struct {
	at   time.Duration
	text string
	id   string
}

func (w *writer) file(end time.Duration) string {
	n := w.rng.IntN(31)
	if w.chance(0.5) {
		n = w.rng.IntN(6)
	}
	terminator := pick(w.plan, "\n", "\n", "\n", "\r\n")
	var content strings.Builder
	for i := range n {
		content.WriteString(w.line(end))
		if i < n-1 || w.chance(0.9) {
			content.WriteString(terminator)
		}
	}
	return content.String()
}

func (w *writer) line(end time.Duration) string {
	w.count++
	id := fmt.Sprintf("%s-%d", w.eventType, w.count)
	text := fmt.Sprintf(`{"event_id":%q,"type":%q,"timestamp":"2026-08-02T09:14:55Z","n":%d}`, id, w.eventType, w.count)
	switch x := w.rng.Float64(); {
	case x < 0.03:
		return ""
	case x < 0.06:
		return fmt.Sprintf(`{"type":%q,"n":%d}`, w.eventType, w.count%7)
	case x < 0.09:
		return text[:len(text)-w.rng.IntN(10)-1]
	case x < 0.16 && len(w.recent) > 0:
		again := w.recent[w.rng.IntN(len(w.recent))]
		if x < 0.095 { // the id again, with other bytes
			return fmt.Sprintf(`{"event_id":%q,"type":%q,"n":%d}`, again.id, w.eventType, w.count)
		}
		return again.text
	}
	w.recent = append(w.recent, written{end, text, id})
	if len(w.recent) > 400 {
		w.recent = w.recent[200:]
	}
	return text
}
