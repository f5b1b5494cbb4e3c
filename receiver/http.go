// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/metadata"
)

// transports are the two ways out: the API's client, which the key travels with,
// and the transport for signed URLs. They share no connection.
type transports struct {
	api    *http.Client
	base   *http.Transport // at the bottom of api
	signed *tracingTransport
}

// close drops the idle connections. The client's own CloseIdleConnections does
// nothing, since what is around its transport hides the method.
func (t *transports) close() {
	if t == nil {
		return
	}
	t.base.CloseIdleConnections()
	t.signed.CloseIdleConnections()
}

// newTransports makes both; change is called with each plain transport. The errors of
// others may quote settings, and are concealed.
func newTransports(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings, change func(*http.Transport)) (*transports, error) {
	clients, err := makeTransports(ctx, cfg, host, set, change)
	return clients, cfg.conceal(err)
}

func makeTransports(ctx context.Context, cfg *Config, host component.Host, set component.TelemetrySettings, change func(*http.Transport)) (*transports, error) {
	if cfg.HTTP.ProxyURL == "" {
		if err := checkProxyVariables(); err != nil {
			return nil, err
		}
	}
	base, jar, err := plainTransport(ctx, cfg.HTTP, set.Logger)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	api, err := apiTransport(ctx, cfg.HTTP, base, host, set)
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	bare, _, err := plainTransport(ctx, withoutIdentity(cfg.HTTP), zap.NewNop())
	if err != nil {
		return nil, fmt.Errorf("http: %w", err)
	}
	change(base)
	change(bare)
	signed := &tracingTransport{
		next: compliance.NewSignedTransport(bare, cfg.redirectPolicy()), tracer: metadata.Tracer(set), name: "openai_compliance.fetch",
	}
	return &transports{api: &http.Client{Transport: api, Jar: jar}, base: base, signed: signed}, nil
}

// plainTransport has confighttp make a transport of the settings for TLS, proxy and
// connections alone. Without headers, middlewares and telemetry nothing is around it.
func plainTransport(ctx context.Context, cfg confighttp.ClientConfig, logger *zap.Logger) (*http.Transport, http.CookieJar, error) {
	cfg.Headers, cfg.Middlewares = nil, nil
	client, err := cfg.ToClient(ctx, nil, component.TelemetrySettings{Logger: logger})
	if err != nil {
		return nil, nil, err
	}
	transport, ok := client.Transport.(*http.Transport)
	if !ok {
		return nil, nil, fmt.Errorf("the client has no plain transport, but a %T", client.Transport)
	}
	compliance.NameProxyRefusals(transport)
	return transport, client.Jar, nil
}

// withoutIdentity leaves out of the settings what shows the endpoint who asks, or is
// meant for its name alone.
func withoutIdentity(cfg confighttp.ClientConfig) confighttp.ClientConfig {
	cfg.TLS.CertFile, cfg.TLS.KeyFile, cfg.TLS.CertPem, cfg.TLS.KeyPem = "", "", "", ""
	cfg.TLS.ServerName = ""
	return cfg
}

// apiTransport puts around the plain transport what confighttp puts there, in its
// order: middlewares, headers, metrics. The spans are ours, since those of otelhttp
// hold the text of errors.
func apiTransport(ctx context.Context, cfg confighttp.ClientConfig, base *http.Transport, host component.Host, set component.TelemetrySettings) (http.RoundTripper, error) {
	var transport http.RoundTripper = base
	for _, middleware := range slices.Backward(cfg.Middlewares) {
		wrap, err := middleware.GetHTTPClientRoundTripper(ctx, host.GetExtensions())
		if err != nil {
			return nil, err
		}
		if transport, err = wrap(ctx, transport); err != nil {
			return nil, err
		}
	}
	transport = &headerTransport{next: transport, headers: cfg.Headers}
	transport = otelhttp.NewTransport(transport,
		otelhttp.WithTracerProvider(tracenoop.NewTracerProvider()), // it still sends on the trace context
		otelhttp.WithPropagators(otel.GetTextMapPropagator()), otelhttp.WithMeterProvider(set.MeterProvider))
	return &tracingTransport{next: transport, tracer: metadata.Tracer(set), name: http.MethodGet}, nil
}

// headerTransport adds the configured headers.
type headerTransport struct {
	next    http.RoundTripper
	headers configopaque.MapList
}

// RoundTrip implements http.RoundTripper.
func (h *headerTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	for name, value := range h.headers.Iter {
		req.Header.Set(name, string(value))
	}
	return h.next.RoundTrip(req)
}

// apiHooks are called around requests; each may be nil.
type apiHooks struct {
	observe    func(context.Context, compliance.Observation)
	allowFetch func(host string) error
}

// newAPI assembles the client of the configured principal.
func newAPI(cfg *Config, key compliance.KeySource, clients *transports, hooks apiHooks, version string) *compliance.Client {
	return compliance.NewClient(compliance.Settings{
		Endpoint:        cfg.HTTP.Endpoint,
		Principal:       cfg.principal(),
		Key:             key,
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

// newKeySource returns the one that all requests of a receiver share.
func (c *Config) newKeySource() compliance.KeySource {
	if c.APIKeyFile != "" {
		return compliance.NewKeyFile(c.APIKeyFile)
	}
	return compliance.StaticKey(c.APIKey)
}
