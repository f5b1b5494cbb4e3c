// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package openaicompliancereceiver

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	corereceiver "go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

func TestDefaultConfigIsWellFormed(t *testing.T) {
	require.NoError(t, componenttest.CheckConfigStruct(NewFactory().CreateDefaultConfig()))
}

// The Collector's own checker: against a consumer that errs at random, nothing is
// lost, no accepted record comes twice and none that was refused for good comes
// again.
func TestConsumeContract(t *testing.T) {
	const filesPerScenario = 100
	api := fakeapi.New(fakeapi.Options{})
	require.NoError(t, api.Start("", ""))
	defer api.Close()
	cfg := NewFactory().CreateDefaultConfig().(*receiver.Config)
	cfg.APIKey = configopaque.String(fakeapi.DefaultKey)
	cfg.WorkspaceID = fakeapi.DefaultWorkspace
	cfg.EventTypes = []string{"AUTH_LOG", "AUDIT_LOG"}
	cfg.AllowEphemeralCursor = true
	cfg.InitialDelay = 0
	cfg.PollInterval = 5 * time.Millisecond
	cfg.RateLimit = receiver.RateLimitConfig{}
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = time.Millisecond
	cfg.OnPermanentError = "drop"
	cfg.Batch.MaxRecords = 2
	cfg.HTTP.Endpoint = api.URL

	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T:             t,
		Factory:       testIDFactory(),
		Signal:        pipeline.SignalLogs,
		Config:        cfg,
		Generator:     &fileGenerator{api: api, cfg: cfg},
		GenerateCount: filesPerScenario,
	})
}

// fileGenerator exports one file of three records per call. Each scenario starts
// a receiver of its own without stored state, so it moves start_from behind the
// files of the scenario before.
type fileGenerator struct {
	api   *fakeapi.API
	cfg   *receiver.Config
	count atomic.Int64
}

func (*fileGenerator) Start() {}

func (g *fileGenerator) Stop() {
	time.Sleep(2 * time.Millisecond)
	g.cfg.StartFrom = time.Now().UTC().Format(time.RFC3339Nano)
	time.Sleep(2 * time.Millisecond)
}

func (g *fileGenerator) Generate() []receivertest.UniqueIDAttrVal {
	n := g.count.Add(1)
	var ids []receivertest.UniqueIDAttrVal
	var lines []string
	for i := range 3 {
		id := fmt.Sprintf("event-%d-%d", n, i)
		ids = append(ids, receivertest.UniqueIDAttrVal(id))
		lines = append(lines, fmt.Sprintf(`{"event_id":%q,"type":"AUTH_LOG"}`, id))
	}
	g.api.Add([]string{"AUTH_LOG", "AUDIT_LOG"}[n%2], time.Now(), lines...)
	return ids
}

// testIDFactory lifts log.record.uid into the attribute that the checker reads.
func testIDFactory() corereceiver.Factory {
	inner := NewFactory()
	return corereceiver.NewFactory(inner.Type(), inner.CreateDefaultConfig,
		corereceiver.WithLogs(func(ctx context.Context, set corereceiver.Settings, cfg component.Config, next consumer.Logs) (corereceiver.Logs, error) {
			lifting, err := consumer.NewLogs(func(ctx context.Context, logs plog.Logs) error {
				for _, resource := range logs.ResourceLogs().All() {
					for _, scope := range resource.ScopeLogs().All() {
						for _, record := range scope.LogRecords().All() {
							uid, _ := record.Attributes().Get("log.record.uid")
							record.Attributes().PutStr(receivertest.UniqueIDAttrName, uid.Str())
						}
					}
				}
				return next.ConsumeLogs(ctx, logs)
			}, consumer.WithCapabilities(consumer.Capabilities{MutatesData: true}))
			if err != nil {
				return nil, err
			}
			return inner.CreateLogs(ctx, set, cfg, lifting)
		}, inner.LogsStability()))
}
