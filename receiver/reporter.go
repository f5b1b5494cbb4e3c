// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"go.opentelemetry.io/collector/component"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
	"github.com/openaicompliance/openaicompliancereceiver/internal/status"
)

// reporter turns what the engine reports into metrics, logs, spans and the
// component's status. Each event is logged here and nowhere else.
type reporter struct {
	telemetry *telemetry
	tracker   *status.Tracker
	loggers   map[collect.StreamID]*zap.Logger // fixed before the streams run
	logger    *zap.Logger

	mu   sync.Mutex // guards held
	held map[heldKey]string
}

// heldKey names one cause that can hold one stream.
type heldKey struct {
	id   collect.StreamID
	kind collect.HoldKind
}

var _ collect.Observer = (*reporter)(nil)

func newReporter(host component.Host, set component.TelemetrySettings, eventTypes []string, streams int) (*reporter, error) {
	t, err := newTelemetry(set)
	if err != nil {
		return nil, err
	}
	return &reporter{
		telemetry: t, tracker: status.NewTracker(host, set.Logger, eventTypes, streams),
		loggers: map[collect.StreamID]*zap.Logger{}, logger: set.Logger, held: map[heldKey]string{},
	}, nil
}

func (r *reporter) close() {
	r.tracker.Close()
	r.telemetry.shutdown()
}

// addStream names a stream before any of them runs.
func (r *reporter) addStream(ctx context.Context, id collect.StreamID) {
	r.loggers[id] = r.logger.With(idFields(id)...)
	r.telemetry.addStream(ctx, id)
}

// checkpointCorrupt is for a stream that does not run, since its state cannot be
// used.
func (r *reporter) checkpointCorrupt(ctx context.Context, id collect.StreamID) {
	r.telemetry.countCheckpointCorruption(ctx, id.EventType)
	err := checkpoint.ErrCorrupt
	r.tracker.Set(id.String(), status.KindStorage, status.Scope(collect.ScopeStorage), status.Condition{Label: "corrupt", Err: err})
	if id.Replay == "" {
		r.tracker.FirstPoll(id.EventType, status.FirstPoll{State: status.StateFailed, Err: err})
	}
}

// StartPoll implements collect.Observer.
func (r *reporter) StartPoll(ctx context.Context, id collect.StreamID) (context.Context, func(collect.PollReport)) {
	ctx, end := r.telemetry.startPollSpan(ctx, id)
	return ctx, func(report collect.PollReport) {
		end(report.Err, report.Fault)
		if !report.Canceled {
			r.telemetry.countPoll(ctx, id.EventType, report.Fault.Poll)
			r.reportPoll(id, report)
		}
	}
}

// reportPoll logs how a poll ended, and shows it in the status.
func (r *reporter) reportPoll(id collect.StreamID, report collect.PollReport) {
	logger := r.loggers[id]
	if report.Part == checkpoint.Live && id.Replay == "" {
		r.tracker.FirstPoll(id.EventType, firstPoll(report))
		r.tracker.Set(id.String(), status.KindPoll, status.Scope(report.Fault.Scope), condition(report.Err, report.Fault))
	}
	switch scope := report.Fault.Scope; {
	case report.Err == nil:
		logger.Debug("poll complete", zap.Int("files", report.Files), zap.String("checkpoint", report.Checkpoint))
	case report.Fault.Label == "cut":
		logger.Info("poll stopped by poll_timeout or max_pages, will resume", zap.Int("files", report.Files))
	case scope == collect.ScopeKey || scope == collect.ScopeNetwork: // reported once for the receiver
		logger.Debug("poll failed, will resume", zap.Error(report.Err))
	default:
		logger.Warn("poll failed, will resume from checkpoint",
			zap.Error(report.Err), zap.String("outcome", report.Fault.Poll), zap.String("hint", report.Fault.Hint))
	}
}

// condition is an error as the status shows it. A hold shows itself.
func condition(err error, fault collect.Fault) status.Condition {
	if err == nil || fault.Label == "cut" || fault.Label == "held" {
		return status.Condition{}
	}
	return status.Condition{Label: fault.Label, Err: err, Hint: fault.Hint}
}

// firstPoll is the line of a type in the first-poll report.
func firstPoll(report collect.PollReport) status.FirstPoll {
	first := status.FirstPoll{State: status.StateFailed, Files: report.Files, Newest: report.Newest, Hint: report.Fault.Hint, Err: report.Err}
	switch report.Fault.Poll {
	case collect.PollSuccess:
		first.State = status.StateOK
		if report.Files == 0 {
			first.State, first.Hint = status.StateNoData, "no new file is listed; a type that is not used or not enabled stays so"
		}
	case collect.PollPartial:
		first.State = status.StatePartial
	case collect.PollForbidden:
		first.State = status.StateForbidden
	case collect.PollUnauthorized:
		first.State = status.StateUnauthorized
	case collect.PollNotFound:
		first.State = status.StateNotFound
	}
	return first
}

// StartFile implements collect.Observer.
func (r *reporter) StartFile(ctx context.Context, id collect.StreamID, file compliance.File) (context.Context, func(error)) {
	return r.telemetry.startFileSpan(ctx, id, file)
}

// RequestSent implements collect.Observer.
func (r *reporter) RequestSent(id collect.StreamID) { r.tracker.RequestSent(id.String()) }

// RequestFailed implements collect.Observer.
func (r *reporter) RequestFailed(id collect.StreamID, fault collect.Fault, err error) {
	r.loggers[id].Debug("request failed", zap.Error(err), zap.String("cause", fault.Label))
	r.tracker.RequestFailed(id.String(), status.Scope(fault.Scope), condition(err, fault))
}

// RequestSucceeded implements collect.Observer.
func (r *reporter) RequestSucceeded(id collect.StreamID) { r.tracker.RequestSucceeded(id.String()) }

// ListWaited implements collect.Observer.
func (r *reporter) ListWaited(ctx context.Context, waited time.Duration) {
	r.telemetry.recordRateLimitWait(ctx, compliance.OperationList, waited)
}

// FileDone implements collect.Observer.
func (r *reporter) FileDone(ctx context.Context, id collect.StreamID, outcome string) {
	r.telemetry.countFile(ctx, id.EventType, outcome)
}

// FileRead implements collect.Observer.
func (r *reporter) FileRead(ctx context.Context, id collect.StreamID, bytes int) {
	r.telemetry.countFileBytes(ctx, id.EventType, bytes)
}

// BatchDone implements collect.Observer.
func (r *reporter) BatchDone(ctx context.Context, id collect.StreamID, counts collect.BatchCounts, outcome deliver.Outcome) {
	r.telemetry.countBatch(ctx, id.EventType, counts, outcome)
	if outcome == deliver.Accepted && counts.Records > 0 { // an empty batch says nothing of the consumer
		r.tracker.Set(id.String(), status.KindConsumer, status.Scope(collect.ScopeConsumer), status.Condition{})
	}
}

// degradedAfter is how many rejections in a row show in the component's status.
const degradedAfter = 3

var errRejecting = errors.New("the next consumer rejects the records")

// batchRejected logs a rejection: at once, then ever more rarely.
func (r *reporter) batchRejected(id collect.StreamID, rejection deliver.Rejection) {
	logger := r.loggers[id]
	fields := []zap.Field{
		zap.NamedError("error", rejection.Err), zap.Bool("permanent", rejection.Permanent), zap.Int("attempt", rejection.Attempt),
		zap.String("file_id", rejection.Part.File.ID), zap.Int("records", rejection.Records),
	}
	if rejection.LearnedBytes > 0 {
		logger.Warn("batch size limit learned, set batch::max_bytes", zap.Int("max_bytes", rejection.LearnedBytes), zap.NamedError("error", rejection.Err))
		return
	}
	r.telemetry.countRejection(context.Background(), id.EventType, rejection)
	if rejection.Outcome == deliver.Open && (rejection.Attempt >= degradedAfter || rejection.Held) {
		r.tracker.Set(id.String(), status.KindConsumer, status.Scope(collect.ScopeConsumer), status.Condition{
			Label: "rejected", Err: errRejecting, Hint: holdHint(rejection),
		})
	}
	switch {
	case rejection.Outcome == deliver.Quarantined:
		logger.Error("permanent error from next consumer, record quarantined", append(fields, zap.Ints("lines", rejection.Part.Lines))...)
	case rejection.Outcome == deliver.Dropped:
		logger.Error("permanent error from next consumer, batch dropped", fields...)
	case rejection.Attempt&(rejection.Attempt-1) == 0: // 1, 2, 4, 8 …
		logger.Warn("next consumer returned an error, retrying batch", append(fields, zap.Duration("next_try", rejection.Wait), zap.Bool("held", rejection.Held))...)
	default:
		logger.Debug("next consumer returned an error, retrying batch", append(fields, zap.Duration("next_try", rejection.Wait))...)
	}
}

// holdHint names the ways out of a held batch.
func holdHint(r deliver.Rejection) string {
	if r.Permanent {
		return "repair what rejects the records downstream, or set on_permanent_error: drop; nothing is lost meanwhile"
	}
	return "look at the log of the next component; the batch is retried until it is accepted"
}

// EventsEvicted implements collect.Observer.
func (r *reporter) EventsEvicted(ctx context.Context, id collect.StreamID, n int) {
	r.telemetry.countEvictions(ctx, id.EventType, n)
}

// gapMessages by reason.
var gapMessages = map[string]string{
	record.GapRetention:       "data gap: files expired before they were listed",
	record.GapSuspected:       "data gap suspected: the clocks disagree",
	record.GapFileExpired:     "file expired before it could be delivered",
	record.GapRefused:         "quarantined records expired",
	record.GapTies:            "data gap: too many files share one end_time",
	record.GapUnreadableEntry: "data gap: list entry without a usable id",
}

// GapReported implements collect.Observer.
func (r *reporter) GapReported(ctx context.Context, id collect.StreamID, gap collect.GapReport) {
	r.telemetry.countGap(ctx, id.EventType)
	fields := []zap.Field{zap.Time("from", gap.From), zap.Time("to", gap.To), zap.String("reason", gap.Reason)}
	if gap.File.ID != "" {
		fields = append(fields, zap.String("file_id", gap.File.ID), zap.Int64("file_size", gap.File.Size), zap.String("file_sha256", gap.File.SHA256))
	}
	if gap.FromLine > 0 {
		fields = append(fields, zap.Int("from_line", gap.FromLine), zap.Int("to_line", gap.ToLine))
	}
	r.loggers[id].Error(gapMessages[gap.Reason], fields...)
	if gap.Rejected {
		r.loggers[id].Error("gap record rejected by next consumer", fields...)
	}
}

// CheckpointStored implements collect.Observer.
func (r *reporter) CheckpointStored(ctx context.Context, id collect.StreamID, err error, next time.Duration) {
	cond := status.Condition{}
	if err != nil {
		cond = status.Condition{Label: "storage", Err: err, Hint: "look at the storage extension: disk space, permissions, connection"}
		r.telemetry.countCheckpointFailure(ctx, id.EventType)
		r.loggers[id].Error("failed to save checkpoint, retrying", zap.Error(err), zap.Duration("next_try", next))
	}
	r.tracker.Set(id.String(), status.KindStorage, status.Scope(collect.ScopeStorage), cond)
}

// Progress implements collect.Observer.
func (r *reporter) Progress(id collect.StreamID, p collect.Progress) { r.telemetry.setProgress(id, p) }

// holdKinds are the status kinds of holds.
var holdKinds = map[collect.HoldKind]status.Kind{
	collect.HoldFiles: status.KindHost, collect.HoldQueueFull: status.KindQueueFull, collect.HoldSuspected: status.KindGapSuspected,
	collect.HoldBounds: status.KindBounds, collect.HoldDigests: status.KindDigests, collect.HoldDigest: status.KindDigestOverdue,
}

// NewestEvent implements collect.Observer.
func (r *reporter) NewestEvent(id collect.StreamID, at time.Time) {
	r.telemetry.gauges.lagOf(id).SetNewest(at)
}

// DigestDelivered implements collect.Observer.
func (r *reporter) DigestDelivered(id collect.StreamID, number int64) {
	r.telemetry.gauges.lagOf(id).SetDigest(id.Replay, number)
}

// HeldBy implements collect.Observer.
func (r *reporter) HeldBy(id collect.StreamID, kind collect.HoldKind, hold collect.Hold) {
	r.tracker.Set(id.String(), holdKinds[kind], status.Scope(hold.Fault.Scope), condition(hold.Err, hold.Fault))
	if !r.holdChanged(heldKey{id, kind}, hold.Fault.Label) || hold.Err == nil {
		return
	}
	fields := []zap.Field{zap.Error(hold.Err), zap.String("cause", hold.Fault.Label), zap.String("hint", hold.Fault.Hint)}
	if id == (collect.StreamID{}) {
		r.logger.Error("no file matches its digest, collection held", fields...)
		return
	}
	if kind == collect.HoldDigest {
		r.loggers[id].Warn("digest overdue, will retry", fields...)
		return
	}
	r.loggers[id].Warn("event type held, will retry", fields...)
}

// holdChanged remembers the cause of a hold, and reports whether it is another one.
func (r *reporter) holdChanged(key heldKey, label string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := r.held[key] != label
	r.held[key] = label
	return changed
}

var noteLevels = map[collect.NoteLevel]zapcore.Level{
	collect.NoteDebug: zap.DebugLevel, collect.NoteInfo: zap.InfoLevel, collect.NoteWarn: zap.WarnLevel, collect.NoteError: zap.ErrorLevel,
}

// Note implements collect.Observer.
func (r *reporter) Note(id collect.StreamID, note collect.Note) {
	fields := make([]zap.Field, len(note.Fields))
	for i, field := range note.Fields {
		fields[i] = zap.Any(field.Key, field.Value)
	}
	r.loggers[id].Log(noteLevels[note.Level], note.Message, fields...)
}

// ClockSkew implements collect.Observer.
func (r *reporter) ClockSkew(difference time.Duration, alarm collect.SkewAlarm) {
	r.telemetry.setClockSkew(difference)
	switch alarm {
	case collect.SkewBegins:
		r.logger.Error("clock differs from the API's clock", zap.Duration("difference", difference),
			zap.String("hint", "synchronize the collector's clock; until then the earlier clock decides"))
		r.tracker.Set("", status.KindClock, status.ScopeNetwork, status.Condition{
			Label: "clock_skew", Err: errClockSkew, Hint: "synchronize the collector's clock",
		})
	case collect.SkewEnds:
		r.logger.Info("clock agrees with the API's clock again", zap.Duration("difference", difference))
		r.tracker.Set("", status.KindClock, status.ScopeNetwork, status.Condition{})
	case collect.SkewUnchanged:
	}
}

var errClockSkew = errors.New("the collector's clock differs from the API's by more than ten minutes")

// Ended implements collect.Observer.
func (r *reporter) Ended(id collect.StreamID) {
	r.loggers[id].Info("reached until, collection finished")
	r.telemetry.endStream(id)
	r.tracker.End(id.String())
}
