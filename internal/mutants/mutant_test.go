// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The places that the table names are all there, so that a change of the source
// that moves one is noticed before the mutants run.
func TestTableFits(t *testing.T) {
	names := map[string]bool{}
	for _, m := range table {
		assert.False(t, names[m.name], "two mutants are called %q", m.name)
		names[m.name] = true
		source, err := os.ReadFile(filepath.Join("../..", m.file))
		require.NoError(t, err)
		mutated, err := m.apply(string(source))
		require.NoError(t, err, m.name)
		assert.NotEqual(t, string(source), mutated)
		assert.NotEmpty(t, m.tests, m.name)
	}
}

// module writes a module with one function and three tests of it.
func module(t *testing.T, tests string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":      "module example.com/m\n\ngo 1.26\n",
		"one.go":      "package m\n\nfunc one() int { return 1 }\n",
		"one_test.go": "package m\n\nimport \"testing\"\n\n" + tests,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

const (
	watchful = "func TestWatchful(t *testing.T) {\n\tif one() != 1 {\n\t\tt.Fatal()\n\t}\n}\n"
	asleep   = "func TestAsleep(t *testing.T) {\n\tone()\n}\n"
	broken   = "func TestBroken(t *testing.T) {\n\tt.Fatal()\n}\n"
)

func fault(old, text string, tests ...string) mutant {
	return mutant{name: "fault", file: "one.go", edits: []edit{{old, text}}, pkg: ".", tests: tests}
}

// A mutant counts as caught only if it builds and every test named fails for it,
// and passes without it; the source stays as it is.
func TestRun(t *testing.T) {
	dir := module(t, watchful+asleep+broken)
	require.NoError(t, run(dir, []mutant{fault("return 1", "return 2", "TestWatchful")}, 1))
	for name, tt := range map[string]struct {
		mutant mutant
		want   string
	}{
		"survives":             {fault("return 1", "return 2", "TestAsleep"), "TestAsleep passed"},
		"survives one of two":  {fault("return 1", "return 2", "TestAsleep", "TestWatchful"), "TestAsleep did not fail"},
		"does not compile":     {fault("return 1", "return x", "TestWatchful"), "it does not compile"},
		"place is gone":        {fault("return 3", "return 2", "TestWatchful"), "occurs 0 times"},
		"place is there twice": {fault("n", "m", "TestWatchful"), "times, not once"},
		"file is gone":         {mutant{file: "two.go"}, "two.go"},
	} {
		t.Run(name, func(t *testing.T) { require.ErrorContains(t, try(dir, tt.mutant), tt.want) })
	}
	require.EqualError(t, run(dir, []mutant{fault("return 1", "return 2", "TestAsleep")}, 1), "1 of 1 mutants were not caught")
	require.ErrorContains(t, run(dir, []mutant{fault("return 1", "return 2", "TestBroken")}, 1), "TestBroken of . does not pass without a fault")
	require.ErrorContains(t, run(dir, []mutant{fault("return 1", "return 2", "TestNone")}, 1), "TestNone of . does not pass without a fault")
	require.EqualError(t, run(dir, nil, 1), "no mutant of that name")
	source, err := os.ReadFile(filepath.Join(dir, "one.go"))
	require.NoError(t, err)
	assert.Contains(t, string(source), "return 1")
}

// A test that panics has failed, and one that hangs has not.
func TestJudge(t *testing.T) {
	require.NoError(t, judge("--- FAIL: TestA (0.00s)\npanic: oh", os.ErrInvalid, []string{"TestA"}))
	require.ErrorContains(t, judge("panic: test timed out after 2m0s\n", os.ErrInvalid, []string{"TestA"}), "hang")
	require.ErrorContains(t, judge("    --- FAIL: TestA/part (0.00s)\n", os.ErrInvalid, []string{"TestA"}), "did not fail")
}
