// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

// planted are secrets in the forms that an operator has at hand, by what of each must
// not be seen.
var planted = map[string]string{
	"an admin key":      "sk-admin-CanaryKeyDoNotPrint",
	"a key in capitals": "SK-ADMIN-CANARYKEYDONOTPRINT",
	"an opaque key":     "0c4a9b1e5d2f8a7b6c3d9e0f1a2b3c4d5e6f7a8b",
	"a base64 key":      "Q2FuYXJ5S2V5RG9Ob3RQcmludDEyMzQ1Njc4OTA=",
	"a password":        "http://user:CanaryPASS#x@host:3128",
	"a header":          "Bearer sk-admin-CanaryKeyDoNotPrint",
	"a signed URL":      "https://blob.example.com/x?sig=CanarySignature",
}

// parts of a planted secret that no text may hold.
func parts(secret string) []string {
	if strings.Contains(secret, "PASS") {
		return []string{"CanaryPASS"}
	}
	if strings.Contains(secret, "sig=") {
		return []string{"CanarySignature"}
	}
	return []string{strings.TrimPrefix(secret, "Bearer "), secret[len(secret)-16:]}
}

// A secret under any key, of whatever type, at any depth, is never shown: not while
// the configuration is decoded, validated, by the Collector's own validation of its
// parts or ours, nor at Start, by what runs then, or by the tools' client.
func TestSecretsUnderAnyKey(t *testing.T) {
	keys := map[string]reflect.Type{}
	for path, typ := range map[string]reflect.Type{"": reflect.TypeFor[Config](), "replay": reflect.TypeFor[ReplayConfig]()} {
		eachKey(path, typ, func(key string, typ reflect.Type) { keys[key] = typ })
	}
	keys["http::headers::X-Gateway"], keys["http::cookies::more"] = reflect.TypeFor[string](), reflect.TypeFor[string]()
	keys["unknown"], keys["http::unknown"] = reflect.TypeFor[string](), reflect.TypeFor[string]()
	require.Greater(t, len(keys), 80)
	require.Contains(t, strings.Join(shown(t, base()), "\n"), "first run, no stored state", "the receiver starts, or the test proves little")
	for key, typ := range keys {
		for name, secret := range planted {
			t.Run(key+"/"+name, func(t *testing.T) {
				t.Parallel()
				for _, text := range shown(t, plant(t, key, typ, secret)) {
					for _, part := range parts(secret) {
						assert.NotContains(t, text, part)
					}
				}
			})
		}
	}
}

// A secret as the name of a key is not shown either.
func TestSecretsAsKeys(t *testing.T) {
	for _, path := range []string{"", "http::", "download::", "http::headers::", "http::tls::"} {
		for name, secret := range planted {
			conf := base()
			require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{path + strings.ReplaceAll(secret, "::", ""): "x"})))
			for _, text := range shown(t, conf) {
				for _, part := range parts(secret) {
					assert.NotContains(t, text, part, "%s under %q", name, path)
				}
			}
		}
	}
}

// base is a configuration with which the receiver starts, and asks nobody.
func base() *confmap.Conf {
	return confmap.NewFromStringMap(map[string]any{
		"api_key": fakeapi.DefaultKey, "workspace_id": fakeapi.DefaultWorkspace, "event_types": []any{"AUTH_LOG"}, "storage": storageID.String(), "initial_delay": "1h",
	})
}

// plant puts a secret under a key of a configuration that is good without it.
func plant(t *testing.T, key string, typ reflect.Type, secret string) *confmap.Conf {
	t.Helper()
	conf := base()
	var value any = secret
	if typ.Kind() == reflect.Slice {
		value = []any{secret}
	}
	if name, ok := strings.CutPrefix(key, "replay::"); ok {
		entry := map[string]any{"name": "r", "from": "-2d", "to": "-1d", name: value}
		key, value = "replay", []any{entry}
	}
	switch key {
	case "api_key_file", "organization_id":
		conf.Delete(map[string]string{"api_key_file": "api_key", "organization_id": "workspace_id"}[key])
	case "content::hmac_key":
		require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{"content::mode": "hmac"})))
	}
	require.NoError(t, conf.Merge(confmap.NewFromStringMap(map[string]any{key: value})))
	return conf
}

// shown is all that a configuration makes anybody see.
func shown(t *testing.T, conf *confmap.Conf) (texts []string) {
	t.Helper()
	add := func(err error) bool {
		for at := err; at != nil; at = errors.Unwrap(at) {
			texts = append(texts, fmt.Sprintf("%v %+v", at, at))
		}
		return err != nil
	}
	cfg := NewDefaultConfig()
	if add(conf.Unmarshal(cfg)) || add(confmap.Validate(cfg)) {
		return texts
	}
	core, logs := observer.New(zapcore.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	r, err := New(set, cfg, consumertest.NewNop())
	require.NoError(t, err)
	add(r.Start(t.Context(), &host{testbed.NewStorage(), &statuses{}}))
	add(r.Shutdown(context.WithoutCancel(t.Context())))
	_, done, err := Connect(t.Context(), cfg, "test")
	if !add(err) {
		done()
	}
	for _, entry := range logs.All() {
		texts = append(texts, fmt.Sprint(entry.Message, entry.ContextMap()))
	}
	return texts
}

// A configuration that was not decoded, as a program makes it, is validated alike:
// every text of it is looked at.
func TestSecretsInEveryText(t *testing.T) {
	var seen []string
	cfg := testConfig("https://api.example.com")
	cfg.Replay = []ReplayConfig{{Name: "r", From: "-2d", To: "-1d", EventTypes: []string{"AUTH_LOG"}}}
	cfg.Download.AllowedHosts, cfg.Download.AllowedNetworks = []string{"a.example"}, []string{"10.0.0.0/8"}
	require.NoError(t, cfg.Validate())
	eachText("", reflect.ValueOf(cfg).Elem(), func(key string, _ reflect.Value) { seen = append(seen, key) })
	for _, key := range []string{
		"api_key_file", "workspace_id", "organization_id", "event_types::0", "storage", "on_missing_state", "start_from", "until", "schedule", "on_permanent_error",
		"download::allowed_hosts::0", "download::allowed_networks::0", "download::verify", "body", "content::mode", "own_requests",
		"replay::0::name", "replay::0::from", "replay::0::to", "replay::0::event_types::0", "http::endpoint", "http::proxy_url", "http::tls::ca_file", "http::tls::min_version",
	} {
		assert.Contains(t, seen, key)
	}
	assert.False(t, slices.ContainsFunc(seen, func(key string) bool { return key == "api_key" || key == "content::hmac_key" }))
	for _, secret := range []string{"sk-admin-CanaryKeyDoNotPrint", fakeapi.DefaultKey, "x" + fakeapi.DefaultKey} {
		eachText("", reflect.ValueOf(cfg).Elem(), func(key string, text reflect.Value) {
			if !text.CanSet() || key == "http::proxy_url" {
				return
			}
			before := text.String()
			text.SetString(secret)
			err := cfg.Validate()
			require.ErrorContains(t, err, key+": "+misplacedKey)
			assert.NotContains(t, err.Error(), secret)
			text.SetString(before)
		})
	}
	cfg.APIKey = configopaque.String("short")
	cfg.StartFrom = "-24h"
	require.NoError(t, cfg.Validate())
}
