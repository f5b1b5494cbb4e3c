// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mit = "MIT License\n\nPermission is hereby granted, free of charge, to any\nperson obtaining a copy of this software"

// TestCheck proves that a module passes only when each of its licenses is known and
// allowed: copyleft, an unknown text beside a known one, and no text at all do not.
func TestCheck(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	require.NoError(t, err)
	gpl := "GNU GENERAL PUBLIC LICENSE Version 3 ... TERMS AND CONDITIONS ..."
	for name, tt := range map[string]struct {
		texts map[string]string
		want  string
	}{
		"MIT":                     {map[string]string{"LICENSE": mit}, ""},
		"Apache-2.0 and a notice": {map[string]string{"LICENSE": string(apache), "NOTICE.txt": "by somebody"}, ""},
		"two":                     {map[string]string{"LICENSE": mit, "sub/LICENSE": string(apache)}, ""},
		"GPL":                     {map[string]string{"COPYING": gpl}, "m v1, COPYING: license GPL is not allowed"},
		"GPL in a folder":         {map[string]string{"LICENSE": mit, "sub/COPYING": gpl}, "m v1, sub/COPYING: license GPL is not allowed"},
		"unknown":                 {map[string]string{"LICENSE": mit, "LICENSE-2": "Ask me first."}, "m v1, LICENSE-2: unknown license"},
		"a notice alone":          {map[string]string{"NOTICE": mit}, "m v1: no license file"},
		"nothing":                 {nil, "m v1: no license file"},
	} {
		t.Run(name, func(t *testing.T) {
			err := check([]module{{"m v1", tt.texts}})
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tt.want)
		})
	}
}

// TestNotices proves that the notices hold every text with the modules that have it,
// and equal texts once.
func TestNotices(t *testing.T) {
	var out strings.Builder
	writeNotices(&out, []module{
		{"a v1", map[string]string{"LICENSE": mit + "\n", "NOTICE": "by A"}},
		{"b v2", map[string]string{"LICENSE": mit}},
	})
	assert.Contains(t, out.String(), "a v1, LICENSE\nb v2, LICENSE\n")
	assert.Contains(t, out.String(), "a v1, NOTICE\n")
	assert.Contains(t, out.String(), "by A")
	assert.Equal(t, 1, strings.Count(out.String(), "MIT License"))
}

// TestBuildOfThisTool proves that packages, modules and license files are found where
// the go command has them.
func TestBuildOfThisTool(t *testing.T) {
	used, err := packagesOf([]string{"../..=./internal/jsonscan", "../..=./receiver"})
	require.NoError(t, err)
	modules, err := licenseFiles(used)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, m := range modules {
		name, _, _ := strings.Cut(m.name, " v")
		names[name] = true
		assert.False(t, strings.HasPrefix(m.name, ours))
	}
	assert.True(t, names["the Go standard library"])
	assert.True(t, names["go.opentelemetry.io/collector/pdata"])
	require.NoError(t, check(modules))
	_, err = packagesOf(nil)
	require.Error(t, err)
}
