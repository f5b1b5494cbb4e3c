// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	openaicompliancereceiver "github.com/openaicompliance/openaicompliancereceiver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// world is one simulated API, network, storage and consumer, and one receiver
// after the other.
type world struct {
	*fate
	plan    *plan
	begin   time.Time
	api     *fakeapi.API
	net     *network
	disk    *disk
	model   *model
	replays map[string]*model
	sums    sums
	kept    evidence
	planted []*fakeapi.File
	odd     map[string]oddity // by file id
	rng     map[string]*rand.Rand
	log     []string
	jumps   int // of the Date
	calm    bool
	// disturbances are when connections broke and receivers began.
	disturbances []time.Time
	// cutFailed makes requests that are to fail end without an answer.
	cutFailed bool

	closing context.Context // ends with the world
	closed  context.CancelFunc
	running corereceiver.Logs
	life    int
	cursors map[string]time.Time
}

// simulatedStart is later than the earliest time that a compliance log can have.
var simulatedStart = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

// newWorld builds the world of a plan; it must run inside a bubble.
func newWorld(p *plan) *world {
	time.Sleep(time.Until(simulatedStart))
	w := &world{
		fate: newFate(), plan: p, begin: time.Now(), net: newNetwork(),
		model: newModel(time.Now), rng: map[string]*rand.Rand{}, cursors: map[string]time.Time{}, replays: map[string]*model{},
		odd: map[string]oddity{},
	}
	w.model.pageLimit = p.api.PageLimit
	w.shortenPages(w.model)
	w.model.dedup = p.cfg.Deduplication.Window > 0
	if p.strictWindow {
		w.model.window = p.cfg.Deduplication.Window
	}
	w.closing, w.closed = context.WithCancel(context.Background())
	w.disk = newDisk(w.fate)
	w.disk.stored = w.sawStored
	w.disk.failed = func(replay, eventType string) { w.modelOf(replay).storeFailed(eventType) }
	if p.until != 0 {
		p.cfg.Until = w.at(p.until)
		w.model.until = w.begin.Add(p.until)
		w.model.closes = w.closes(w.model.until, 0)
	}
	w.disk.floor = w.sawFloor
	w.disk.trouble = func() window { return w.trouble("", storageFails, storageSlow) }
	w.api = fakeapi.New(p.api)
	for i, f := range p.files {
		planted := w.api.AddContent(f.eventType, w.begin.Add(f.end), []byte(f.content), nil)
		planted.VisibleFrom = w.begin.Add(f.seen)
		w.planted = append(w.planted, planted)
		if odd, ok := p.odd[i]; ok {
			w.odd[planted.ID] = odd
		}
		w.addFile(w.model, planted)
	}
	for _, t := range p.types {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(t))
		w.rng[t] = rand.New(rand.NewPCG(p.seed, hash.Sum64()))
	}
	w.net.serve(apiHost, w.watch("api", w.api.Handler()))
	w.net.serve(proxyHost, w.watch("storage", w.api.StorageHandler()))
	return w
}

// addFile tells a model of a file.
func (w *world) addFile(m *model, f *fakeapi.File) *file {
	added := m.add(f)
	if odd, ok := w.odd[f.ID]; ok {
		m.addOdd(added, odd, w.begin)
	}
	return added
}

func (w *world) since() time.Duration { return time.Since(w.begin) }

func (w *world) trouble(eventType string, kinds ...string) window {
	if w.isCalm() {
		return window{}
	}
	return w.plan.trouble(w.since(), eventType, kinds...)
}

func (w *world) isCalm() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calm
}

// GetExtensions implements component.Host.
func (w *world) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{storageID: w.disk.extension(w.life)}
}

// start runs a new receiver; while it does not start, as with broken storage, it
// is tried again every minute, as a supervisor does.
func (w *world) start() {
	for {
		err := w.tryStart()
		if err == nil {
			return
		}
		w.reach("start refused")
		w.buried()
		if !w.refusesByClock(err) && !errors.Is(err, errStorage) && !errors.Is(err, errFailed) && !errors.Is(err, errDead) && !errors.Is(err, context.DeadlineExceeded) {
			w.violate("start: %v", err)
			return
		}
		_ = w.running.Shutdown(context.Background())
		time.Sleep(time.Minute)
		select {
		case <-w.died: // within Start
		default:
		}
	}
}

// refusesByClock reports whether a start is refused since the own clock says that a
// replay is about the future, or that until comes before start_from.
func (w *world) refusesByClock(err error) bool {
	return w.trouble("", ownKinds...).kind != "" &&
		(strings.Contains(err.Error(), "is in the future") || strings.Contains(err.Error(), "is not later than start_from"))
}

// disturb notes a time after which the rate of requests says nothing.
func (w *world) disturb() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disturbances = append(w.disturbances, time.Now())
}

func (w *world) tryStart() error {
	w.disturb()
	w.life = w.born()
	set := receivertest.NewNopSettings(openaicompliancereceiver.NewFactory().Type())
	set.ID = component.MustNewID("openai_compliance")
	set.Logger = zap.New(&journal{LevelEnabler: zapcore.InfoLevel, w: w})
	cfg := *w.plan.cfg
	if err := cfg.Validate(); err != nil {
		return err
	}
	next := &sink{
		kept: &w.kept,
		fate: w.fate, life: w.life, model: w.modelOf, rng: w.rng, policy: cfg.OnPermanentError,
		trouble: func(eventType string) window {
			return w.trouble(eventType, consumerRefuses, consumerDrops, consumerSlow, consumerBlocks)
		},
		rejecting: w.rejecting,
		until:     func(open window) time.Duration { return open.until - w.since() },
	}
	var err error
	if w.running, err = receiver.New(set, &cfg, next, receiver.WithWallClock(w.ownNow), receiver.WithTransport(w.net.configure)); err != nil {
		return err
	}
	w.mu.Lock()
	for _, eventType := range cfg.EventTypes {
		if w.model.asked[eventType].IsZero() {
			w.model.asked[eventType] = time.Now()
		}
	}
	w.mu.Unlock()
	if err := w.running.Start(context.Background(), w); err != nil {
		return err
	}
	w.inspect(&cfg)
	return nil
}

// sawFloor takes note of a stored floor. It is where it should be, and stays. It is
// called with the lock held.
func (w *world) sawFloor(replay, eventType string, floor time.Time) {
	if replay != "" {
		return
	}
	before, ok := w.model.floors[eventType]
	if !ok {
		w.model.floors[eventType], w.cursors[eventType] = floor, floor
		first := w.model.asked[eventType]
		earliest := first.Add(w.plan.behindMost(first.Sub(w.begin), w.since()) - time.Second) // a Date has whole seconds
		if floor.After(time.Now().Add(-w.plan.span)) || floor.Before(earliest.Add(-w.plan.span)) {
			w.model.violate(nil, "the floor of %s is %s; first asked at %s for %v", eventType, floor, first, w.plan.span)
		}
		w.model.behind[eventType] = max(0, first.Add(-w.plan.span).Sub(floor))
		return
	}
	if !before.Equal(floor) {
		w.model.violate(nil, "the floor of %s moved from %s to %s", eventType, before, floor)
	}
}

// sawStored tells the model of a write. While a commit is being retried, another writer
// of the stream may store a checkpoint without it. It is called with the lock held.
func (w *world) sawStored(replay, eventType string) {
	m := w.modelOf(replay)
	if m.unstored[eventType] && len(m.uncommitted[eventType]) > 0 && !w.holdsDelivery(replay, eventType) {
		return
	}
	m.stored(eventType)
}

// holdsDelivery reports whether what is stored of a stream holds what was accepted last.
func (w *world) holdsDelivery(replay, eventType string) bool {
	key := checkpoint.Key(w.plan.cfg.WorkspaceID, eventType)
	if replay != "" {
		key = "replay/" + replay + strings.TrimPrefix(key, "stream")
	}
	stored, err := checkpoint.ReadSnapshot(context.Background(), peek{disk: &disk{fate: newFate(), values: w.disk.values}}, key)
	if err != nil || stored == nil {
		return false
	}
	m := w.modelOf(replay)
	id := m.pendingFile[eventType]
	for _, l := range m.uncommitted[eventType] {
		for _, f := range slices.Concat(stored.Open, stored.Queue) {
			waits := f.NextLine > 0 && f.NextLine <= l.number && !slices.Contains(f.Ahead, l.number)
			for _, lines := range f.Lines {
				waits = waits || l.number >= lines.From && l.number < lines.To
			}
			if f.File.ID == id && waits {
				return false
			}
		}
		begun := slices.ContainsFunc(slices.Concat(stored.Open, stored.Queue), func(f checkpoint.QueuedFile) bool { return f.File.ID == id })
		if !begun && !stored.IsCompleted(id) {
			return false
		}
	}
	return true
}

// inspect reads the stored state of every stream: its cursor never goes back.
func (w *world) inspect(cfg *receiver.Config) {
	for _, eventType := range cfg.EventTypes {
		stored, err := checkpoint.ReadSnapshot(context.Background(), peek{disk: w.disk}, checkpoint.Key(cfg.WorkspaceID, eventType))
		if err != nil || stored == nil {
			w.violate("the stored state of %s cannot be read: %v", eventType, err)
			continue
		}
		if len(stored.Segments) == 0 {
			continue // the API has not answered yet
		}
		live := stored.Segments[len(stored.Segments)-1]
		if live.Cursor.Before(w.cursors[eventType]) {
			w.violate("the cursor of %s went back from %s to %s", eventType, w.cursors[eventType], live.Cursor)
		}
		w.cursors[eventType] = live.Cursor
		w.inspectSegments(eventType, stored.Segments)
	}
}

// inspectSuspected tells the model of gaps that are still suspected at the end.
func (w *world) inspectSuspected() {
	for _, eventType := range w.plan.cfg.EventTypes {
		stored, err := checkpoint.ReadSnapshot(context.Background(), peek{disk: w.disk}, checkpoint.Key(w.plan.cfg.WorkspaceID, eventType))
		if err != nil || stored == nil {
			continue
		}
		for _, seg := range stored.Segments {
			for _, g := range seg.Suspected {
				w.reach("gap still suspected")
				w.model.suspected = append(w.model.suspected, gap{eventType: eventType, from: g.From, to: g.To, reason: "suspected"})
			}
		}
	}
}

// inspectSegments checks that the segments begin at the floor, and counts what was
// seen of them.
func (w *world) inspectSegments(eventType string, segments []checkpoint.StoredSegment) {
	for i, seg := range segments {
		if i > 0 && !seg.From.After(segments[i-1].From) {
			w.violate("the segments of %s are out of order: %v", eventType, segments)
		}
	}
	if !segments[0].From.Equal(w.model.floors[eventType]) {
		w.violate("the first segment of %s begins at %s, not at the floor", eventType, segments[0].From)
	}
	if len(segments) > 1 {
		w.reach("start with history under way")
	}
	if len(segments) > 2 {
		w.reach("start with live split while history is under way")
	}
}

func (w *world) violate(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.model.violate(nil, format, args...)
}

// stop ends the receiver as a service manager does.
func (w *world) stop() {
	if err := w.running.Shutdown(context.Background()); err != nil && !errors.Is(err, errFailed) && !errors.Is(err, errDead) {
		w.violate("shutdown: %v", err)
	}
	w.ended(false)
	w.buried()
}

func (w *world) ended(crashed bool) {
	w.mu.Lock()
	between, inside := w.model.ended(crashed)
	for _, m := range w.replays {
		n, _ := m.ended(crashed)
		between += n
	}
	if crashed && between > 0 {
		w.reached["crash between accept and commit"]++
	}
	if inside > 0 {
		w.reached["end inside a file"]++
	}
	w.mu.Unlock()
}

// restart ends the receiver and starts the next one.
func (w *world) restart() {
	w.afterCrash()
	w.stop()
	w.reach("restart")
	w.start()
}

// kill is a crash, here and now.
func (w *world) kill() {
	w.mu.Lock()
	w.killLocked()
	w.mu.Unlock()
	w.afterCrash()
}

// afterCrash clears away a receiver that was killed and starts the next one.
func (w *world) afterCrash() {
	select {
	case <-w.died:
	default:
		return
	}
	w.ended(true)
	w.reach("crash")
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = w.running.Shutdown(gone)
	w.start()
}
