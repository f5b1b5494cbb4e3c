// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is one fault and the tests that must notice it.
type mutant struct {
	// name says what is wrong with the mutant.
	name string
	// file that holds the fault, from the root of the module.
	file string
	// edits make it; each text occurs exactly once in the file.
	edits []edit
	// pkg of the tests, as `go test` takes it. Every test named must fail.
	pkg   string
	tests []string
}

// edit replaces one piece of source text.
type edit struct{ old, new string }

// testLimit is how long the tests of one mutant may take. One that hangs is no
// verdict: name a test that fails.
const testLimit = "2m"

// apply returns the source with the fault in it.
func (m mutant) apply(source string) (string, error) {
	for _, e := range m.edits {
		if n := strings.Count(source, e.old); n != 1 {
			return "", fmt.Errorf("its place occurs %d times, not once; adjust the table: %q", n, e.old)
		}
		source = strings.Replace(source, e.old, e.new, 1)
	}
	return source, nil
}

// try builds the mutant and returns nil when every test named fails.
func try(root string, m mutant) error {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return err
	}
	mutated, err := m.apply(string(source))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, filepath.Join(root, m.file), mutated)
	if err != nil {
		return err
	}
	out, err := goTest(root, m.pkg, m.tests, "-overlay="+overlay)
	return judge(out, err, m.tests)
}

// writeOverlay puts the mutated file and the overlay that names it into dir.
func writeOverlay(dir, file, mutated string) (string, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	replacement, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	doc, err := json.Marshal(map[string]map[string]string{"Replace": {file: replacement}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(replacement, []byte(mutated), 0o600); err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, doc, 0o600)
}

// goTest runs tests of one package and returns what they printed.
func goTest(root, pkg string, tests []string, flags ...string) (string, error) {
	args := append([]string{"test", "-count=1", "-v", "-vet=off", "-tags=spoil", "-timeout=" + testLimit}, flags...)
	cmd := exec.Command("go", append(args, "-run=^("+strings.Join(tests, "|")+")$", pkg)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// verdictLine is how `go test -v` closes a test of the top level.
var verdictLine = regexp.MustCompile(`(?m)^--- (PASS|FAIL): (\w+) `)

// verdictsOf returns the tests that passed or failed.
func verdictsOf(out, word string) (tests []string) {
	for _, line := range verdictLine.FindAllStringSubmatch(out, -1) {
		if line[1] == word {
			tests = append(tests, line[2])
		}
	}
	return tests
}

// judge tells a mutant that was caught from one that does not build, one that
// hangs and one that the tests let pass.
func judge(out string, err error, tests []string) error {
	switch {
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return fmt.Errorf("it does not compile:\n%s", out)
	case strings.Contains(out, "panic: test timed out"):
		return fmt.Errorf("the tests hang for more than %s", testLimit)
	case err == nil:
		return fmt.Errorf("%s passed", strings.Join(tests, ", "))
	}
	failed := verdictsOf(out, "FAIL")
	for _, test := range tests {
		if !slices.Contains(failed, test) {
			return fmt.Errorf("%s did not fail:\n%s", test, out)
		}
	}
	return nil
}

// sound requires that the tests named exist and pass without a fault: a test
// that always fails catches nothing.
func sound(root string, mutants []mutant) error {
	byPackage := map[string][]string{}
	for _, m := range mutants {
		byPackage[m.pkg] = append(byPackage[m.pkg], m.tests...)
	}
	for pkg, tests := range byPackage {
		out, err := goTest(root, pkg, tests)
		passed := verdictsOf(out, "PASS")
		for _, test := range tests {
			if !slices.Contains(passed, test) {
				return fmt.Errorf("%s of %s does not pass without a fault: %w\n%s", test, pkg, err, out)
			}
		}
	}
	return nil
}
