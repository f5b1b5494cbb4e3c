// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build e2e

package e2e

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

const (
	digestEvent = "openai.compliance.digest"
	gapEvent    = "openai.compliance.gap"
)

// signingKey writes a new key for digests.
func signingKey(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "digest-key")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return file
}

// proofsIn returns the digests and data gaps that sinks hold, by uid.
func proofsIn(sinks ...*testbed.Sink) map[string]testbed.Delivery {
	proofs := map[string]testbed.Delivery{}
	for _, sink := range sinks {
		for _, d := range sink.Deliveries() {
			if d.EventName == digestEvent || d.EventName == gapEvent {
				proofs[d.UID] = d
			}
		}
	}
	return proofs
}

func countProofs(proofs map[string]testbed.Delivery, eventName string) (n int) {
	for _, d := range proofs {
		if d.EventName == eventName {
			n++
		}
	}
	return n
}

// Every recipe passes signed digests, and those that touch records also data gaps, as
// the receiver emitted them: body, time, severity and attributes.
func TestRecipesPassProofs(t *testing.T) {
	for example, gaps := range map[string]int{"redaction.yaml": 2, "ecs.yaml": 2, "ocsf.yaml": 2, "content-apart.yaml": 0, "own-requests.yaml": 0} {
		t.Run(example, func(t *testing.T) {
			t.Parallel() // it waits for a digest, mostly
			conf, err := confmaptest.LoadConf(filepath.Join("../examples", example))
			require.NoError(t, err)
			digest := map[string]any{"interval": "10s", "signing_key_file": signingKey(t)}
			receivers, names := map[string]any{}, []any{}
			for name := range section(t, conf, "receivers") {
				receivers[name] = map[string]any{"digest": digest}
				names = append(names, name)
				if gaps > 0 {
					receivers[name] = map[string]any{"digest": digest, "event_types": []any{"AUTH_LOG", "AUDIT_LOG"}}
				}
			}
			r := newRecipe(t, example, samplesOf(t, "AUTH_LOG", "AUDIT_LOG"), withReference(names...), map[string]any{"receivers": receivers})
			reference, delivered := r.sinks["otlp_http/reference"], []*testbed.Sink{}
			for name, sink := range r.sinks {
				if name != "otlp_http/reference" {
					delivered = append(delivered, sink)
				}
			}
			r.start()
			if gaps > 0 {
				r.awaitPasses(4)
				r.stop()
				ageState(r.rig, 40*24*time.Hour)
				r.start()
			}
			r.await("digests and gaps", func() bool {
				want, got := proofsIn(reference), proofsIn(delivered...)
				return countProofs(want, digestEvent) > 0 && countProofs(want, gapEvent) >= gaps && len(got) >= len(want)
			})
			r.stop()
			got := proofsIn(delivered...)
			for uid, want := range proofsIn(reference) {
				require.Contains(t, got, uid)
				assert.Equal(t, want.EventName, got[uid].EventName)
				assert.Equal(t, want.Body, got[uid].Body)
				assert.True(t, want.Time.Equal(got[uid].Time))
				assert.Equal(t, want.Severity, got[uid].Severity)
				assert.Equal(t, want.Attributes, got[uid].Attributes)
				if want.EventName == digestEvent {
					sum := sha256.Sum256([]byte(got[uid].Body))
					assert.Equal(t, hex.EncodeToString(sum[:]), got[uid].Attributes["openai.compliance.digest.sha256"])
					assert.NotEmpty(t, got[uid].Attributes["openai.compliance.digest.signature"])
				}
			}
		})
	}
}
