// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package collectorconf reads a collector's configuration as the collector does,
// for tools that run beside it.
package collectorconf

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"

	"github.com/openaicompliance/openaicompliancereceiver/internal/secret"
)

// Load reads and merges configurations, as the collector's repeated --config
// does: paths of files, or URIs of the env, file and yaml providers. ${env:…} is
// expanded. The result may hold secrets.
//
// Errors of the parser and the providers quote what they cannot read, and are
// concealed.
func Load(ctx context.Context, uris ...string) (*confmap.Conf, error) {
	conf, err := load(ctx, uris)
	return conf, secret.ConcealError(err)
}

func load(ctx context.Context, uris []string) (*confmap.Conf, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: uris,
		ProviderFactories: []confmap.ProviderFactory{
			envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
		},
		DefaultScheme: "env",
	})
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	conf, err := resolver.Resolve(ctx)
	if err = errors.Join(err, resolver.Shutdown(ctx)); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return conf, nil
}

// Component returns the keys of one component: the one with the given id, such as
// "openai_compliance/second", or the only one of the type if the id is empty.
func Component(conf *confmap.Conf, section, kind, id string) (string, *confmap.Conf, error) {
	all, err := conf.Sub(section)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", section, err)
	}
	var found []string
	for _, name := range slices.Sorted(maps.Keys(all.ToStringMap())) {
		if name == kind || strings.HasPrefix(name, kind+"/") {
			found = append(found, name)
		}
	}
	switch {
	case len(found) == 0:
		return "", nil, fmt.Errorf("%s: the configuration has no %s", section, kind)
	case id == "" && len(found) > 1:
		return "", nil, fmt.Errorf("%s: choose one of %s", section, strings.Join(found, ", "))
	case id == "":
		id = found[0]
	case !slices.Contains(found, id):
		return "", nil, fmt.Errorf("%s: the configuration has no %s, but %s", section, secret.Quote(id), strings.Join(found, ", "))
	}
	keys, err := conf.Sub(section + confmap.KeyDelimiter + id)
	return id, keys, err
}
