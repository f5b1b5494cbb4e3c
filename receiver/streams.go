// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"time"

	"go.uber.org/zap"

	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/pace"
	"github.com/openaicompliance/openaicompliancereceiver/internal/record"
)

// shared is what all streams of a receiver have in common.
type shared struct {
	cfg       *Config
	telemetry *telemetry
	health    *health
	first     *firstPass

	api       *compliance.Client
	list      *requester
	lists     *pace.Gate
	download  *requester
	scheduler *pace.Scheduler
}

// newStreams makes a stream of each order that can be carried out and is not done.
func (r *logsReceiver) newStreams(calls context.Context, health *health) ([]*stream, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "http", ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, err
	}
	common := r.newShared(health)
	var streams []*stream
	for _, o := range r.orders {
		switch {
		case o.progress == nil && o.replay == "":
			health.stored(o.eventType, checkpoint.ErrDamaged)
			r.telemetry.stream(calls, o.eventType)
			r.telemetry.checkpointCorrupted(calls, o.eventType)
			common.first.ended(o.eventType, checkpoint.ErrDamaged, 0)
		case o.progress == nil:
		case o.progress.Ended():
			r.set.Logger.Info("Everything up to the upper bound was collected before; there is nothing left to do.", o.fields()...)
			health.ended(o.name())
		default:
			streams = append(streams, r.newStream(calls, common, obs, o))
		}
	}
	return streams, nil
}

func (r *logsReceiver) newShared(health *health) shared {
	lists := pace.NewGate(r.cfg.RateLimit.ListsPerMinute)
	r.scheduler = pace.NewScheduler(pace.Limits{
		Memory: r.cfg.Download.MemoryLimit, Slots: r.cfg.Download.Concurrency, PerMinute: r.cfg.RateLimit.DownloadsPerMinute,
	}, func(ctx context.Context, waited time.Duration) {
		r.telemetry.rateLimitWait(ctx, compliance.OperationDownload, waited)
	})
	return shared{
		cfg: r.cfg, telemetry: r.telemetry, health: health, first: newFirstPass(r.set.Logger, r.cfg.EventTypes),
		api: newAPI(r.cfg, r.ways, r.set, r.telemetry.request), lists: lists, scheduler: r.scheduler,
		list:     &requester{retry: r.cfg.APIRetry, gate: lists},
		download: &requester{retry: r.cfg.APIRetry, gate: r.scheduler},
	}
}

func (r *logsReceiver) newStream(calls context.Context, common shared, obs deliver.Obs, o *order) *stream {
	s := &stream{
		shared: common, eventType: o.eventType, name: o.name(), replay: o.replay, progress: o.progress, calls: calls,
		logger:   r.set.Logger.With(zap.String("event_type", o.eventType)),
		fresh:    r.telemetry.stream(calls, o.eventType),
		mapper:   record.NewMapper(r.source(o)),
		cadence:  r.cfg.cadence(),
		heldLong: r.heldLong, refusedInterval: r.refusedInterval, abandoned: r.abandoned,
	}
	if o.replay != "" {
		s.logger = s.logger.With(zap.String("replay", o.replay))
	}
	s.verifier = newVerifier(r.cfg.Download.Verify, s.logger)
	s.deliver = deliver.New(deliver.Settings{
		Next: r.next, Obs: obs, Retry: r.cfg.RetryOnFailure,
		OnPermanent: permanentPolicies[r.cfg.OnPermanentError],
		OnRefused:   s.onRefused,
	})
	patience := r.cfg.RetryOnFailure
	patience.MaxElapsedTime = heldLong // not to hold a file's memory for long
	s.again = deliver.New(deliver.Settings{
		Next: r.next, Obs: obs, Retry: patience, OnPermanent: deliver.Drop, OnRefused: s.onRefusedAgain,
	})
	return s
}

var permanentPolicies = map[string]deliver.Policy{
	permanentBlock: deliver.Block, permanentDrop: deliver.Drop, permanentQuarantine: deliver.SetAside,
}

func (r *logsReceiver) source(o *order) record.Source {
	principal := r.cfg.principal()
	source := record.Source{
		EventType: o.eventType, PrincipalAttr: record.AttrWorkspaceID, Replay: o.replay,
		PrincipalID: principal.ID, ScopeVersion: r.set.BuildInfo.Version,
		Parsed: r.cfg.Body == bodyParsed, Content: r.cfg.Content.forRecords(),
	}
	if r.cfg.OwnRequests == ownMark && o.eventType == "AUDIT_LOG" {
		source.Self = newOwnKeys(r.cfg.keySource()).is
	}
	if principal.Organization {
		source.PrincipalAttr = record.AttrOrganizationID
	}
	return source
}
