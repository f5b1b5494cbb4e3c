// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// newStreams makes a stream of each spec that can be collected and is not done.
// calls bounds the calls to the next consumer and to storage.
func (r *logsReceiver) newStreams(calls context.Context) ([]*collect.Stream, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "http", ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, err
	}
	deps := r.newDeps(calls)
	var streams []*collect.Stream
	for _, spec := range r.specs {
		r.reporter.addStream(calls, spec.id)
		switch {
		case spec.state == nil:
			r.reporter.checkpointCorrupt(calls, spec.id)
		case spec.state.Ended() && !spec.state.HasDigestsLeft():
			r.set.Logger.Info("collection already finished", spec.fields()...)
			r.reporter.Ended(spec.id)
		default:
			stream := r.newStream(deps, obs, spec) //nolint:contextcheck // the callback has no context
			if _, fixed := spec.state.Bounds(); !fixed {
				deps.FirstRun.Add(stream)
			}
			streams = append(streams, stream)
		}
	}
	return streams, nil
}

// newDeps makes what the streams share.
func (r *logsReceiver) newDeps(calls context.Context) *collect.Deps {
	r.downloads = limit.NewDownloads(limit.Settings{
		Memory: r.cfg.Download.MemoryLimit, Slots: r.cfg.Download.Concurrency, PerMinute: r.cfg.RateLimit.DownloadsPerMinute,
		EvictAfter: r.options.times.EvictAfter,
		Waited: func(ctx context.Context, waited time.Duration) {
			r.reporter.telemetry.recordRateLimitWait(ctx, compliance.OperationDownload, waited)
		},
	})
	hosts := limit.NewHosts()
	return &collect.Deps{
		API:   newAPI(r.cfg, r.key, r.transports, apiHooks{observe: r.reporter.telemetry.recordRequest, allowFetch: hosts.Check}, r.set.BuildInfo.Version),
		Lists: limit.NewRate(r.cfg.RateLimit.ListsPerMinute), Downloads: r.downloads, Hosts: hosts,
		Clocks: collect.NewClocks(r.options.wallClock), Keys: &collect.KeyGate{}, FirstRun: collect.NewFirstRun(), Contact: collect.NewContact(), Observer: r.reporter,
		Detach: func(ctx context.Context) (context.Context, context.CancelFunc) {
			detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
			stop := context.AfterFunc(calls, cancel)
			return detached, func() { stop(); cancel() }
		},
		Detached: r.detached.Load,
	}
}

func (r *logsReceiver) newStream(deps *collect.Deps, obs deliver.Obs, spec *streamSpec) *collect.Stream {
	consumer := deliver.NewConsumer(deliver.Settings{
		Next: r.next, Obs: obs, Retry: r.cfg.RetryOnFailure, OnPermanent: permanentErrorPolicies[r.cfg.OnPermanentError],
		HideErrors: r.cfg.Content.Mode != string(record.ContentKeep),
		OnRejected: func(rejection deliver.Rejection) { r.reporter.batchRejected(spec.id, rejection) },
	})
	return collect.NewStream(spec.id, deps, r.streamSettings(spec), spec.state, consumer)
}

var permanentErrorPolicies = map[string]deliver.Policy{
	permanentBlock: deliver.Block, permanentDrop: deliver.Drop, permanentQuarantine: deliver.Quarantine,
}

// streamSettings are the configuration as one stream needs it.
func (r *logsReceiver) streamSettings(spec *streamSpec) collect.Settings {
	cfg, reach := r.cfg, collect.LiveReach
	if spec.id.Replay != "" {
		reach = 0
	}
	maxRetryAfter := cfg.APIRetry.MaxRetryAfter
	if !cfg.APIRetry.HonorRetryAfter {
		maxRetryAfter = 0
	}
	return collect.Settings{
		Polls: collect.PollSettings{
			InitialDelay: cfg.InitialDelay, Overlap: cfg.Overlap, Timeout: cfg.PollTimeout, MaxPages: cfg.MaxPages, Next: cfg.pollSchedule().next,
		},
		Fetch: collect.FetchSettings{
			Retry: configretry.BackOffConfig(cfg.APIRetry.BackOff), StatusCodes: cfg.APIRetry.StatusCodes, MaxRetryAfter: maxRetryAfter,
			Ahead: cfg.Download.Concurrency, MaxFileSize: cfg.Download.MaxFileSize, Strict: cfg.Download.Verify == verifyStrict,
			Important: collect.EventTypes[spec.id.EventType].Important,
		},
		Batch:   collect.BatchSettings{MaxRecords: cfg.Batch.MaxRecords, MaxBytes: cfg.Batch.MaxBytes, Deduplicate: cfg.Deduplication.Window > 0},
		Digests: r.digests,
		Source:  r.recordSource(spec),
		Bounds: func(first checkpoint.FirstRun, now time.Time) (checkpoint.Bounds, error) {
			return resolveBounds(first, now, reach)
		},
		Times: r.options.times,
	}
}

func (r *logsReceiver) recordSource(spec *streamSpec) record.Source {
	principal := r.cfg.principal()
	source := record.Source{
		EventType: spec.id.EventType, PrincipalAttr: record.AttrWorkspaceID, Replay: spec.id.Replay,
		PrincipalID: principal.ID, ScopeVersion: r.set.BuildInfo.Version,
		Parsed: r.cfg.Body == bodyParsed, Content: r.cfg.Content.forRecords(),
	}
	if r.cfg.OwnRequests == ownMark && spec.id.EventType == "AUDIT_LOG" {
		source.Self = newOwnKeys(r.key).is
	}
	if principal.Organization {
		source.PrincipalAttr = record.AttrOrganizationID
	}
	return source
}
