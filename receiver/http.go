// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configmiddleware"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
)

// transports are the two ways out: the API's client, which the key travels with,
// and the bare transport for signed URLs.
type transports struct {
	api    *http.Client
	base   *http.Transport
	signed *tracingTransport
}

// close drops the idle connections. The client's own CloseIdleConnections does
// nothing, since the instrumentation around its transport hides the method.
func (t *transports) close() {
	if t == nil {
		return
	}
	t.base.CloseIdleConnections()
	t.signed.CloseIdleConnections()
}

// newTransports builds the API client as every component does, and derives the
// bare transport from the innermost one of its chain: behind headers, cookies,
// middlewares and spans, but with the same TLS and proxy settings.
func newTransports(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings) (*transports, error) {
	if cfg.HTTP.ProxyURL == "" {
		if err := checkProxyVariables(); err != nil {
			return nil, err
		}
	}
	capture := &captureTransport{}
	id := component.MustNewIDWithName("openai_compliance", "innermost")
	extensions := map[component.ID]component.Component{id: capture}
	maps.Copy(extensions, host.GetExtensions())

	client := cfg.HTTP
	client.Middlewares = append(slices.Clip(client.Middlewares), configmiddleware.Config{ID: id})
	api, err := client.ToClient(ctx, extensions, set)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	if capture.transport == nil {
		return nil, errors.New("http: the client has no plain transport to derive the download client from")
	}
	compliance.NameProxyRefusals(capture.transport)
	signed := &tracingTransport{next: compliance.NewSignedTransport(capture.transport, cfg.redirectPolicy()), tracer: metadata.Tracer(set)}
	return &transports{api: api, base: capture.transport, signed: signed}, nil
}

// captureTransport is a client middleware that changes nothing and keeps hold of
// the transport it is given.
type captureTransport struct {
	component.StartFunc
	component.ShutdownFunc
	transport *http.Transport
}

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (c *captureTransport) GetHTTPRoundTripper(context.Context) (func(context.Context, http.RoundTripper) (http.RoundTripper, error), error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		c.transport, _ = next.(*http.Transport)
		return next, nil
	}, nil
}

// apiHooks are called around requests; each may be nil.
type apiHooks struct {
	observe    func(context.Context, compliance.Observation)
	allowFetch func(host string) error
}

// newAPI assembles the client of the configured principal.
func newAPI(cfg *Config, clients *transports, hooks apiHooks, version string) *compliance.Client {
	return compliance.NewClient(compliance.Settings{
		Endpoint:        cfg.HTTP.Endpoint,
		Principal:       cfg.principal(),
		Key:             cfg.keySource(),
		API:             clients.api,
		Signed:          clients.signed,
		Policy:          cfg.redirectPolicy(),
		UserAgent:       "openaicompliancereceiver/" + version,
		HeaderTimeout:   cfg.HTTP.Timeout,
		DownloadTimeout: cfg.Download.Timeout,
		StallTimeout:    cfg.Download.StallTimeout,
		MaxFileSize:     cfg.Download.MaxFileSize,
		Observe:         hooks.observe,
		AllowFetch:      hooks.allowFetch,
	})
}

func (c *Config) principal() compliance.Principal {
	if c.OrganizationID != "" {
		return compliance.Principal{Organization: true, ID: c.OrganizationID}
	}
	// A UUID means the same in either case; the positions are kept under one.
	return compliance.Principal{ID: strings.ToLower(c.WorkspaceID)}
}

func (c *Config) keySource() compliance.KeySource {
	if c.APIKeyFile != "" {
		return compliance.KeyFile(c.APIKeyFile)
	}
	return compliance.StaticKey(c.APIKey)
}
