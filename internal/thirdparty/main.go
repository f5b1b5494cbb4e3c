// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command thirdparty reads the licenses of all that a build is made of. It fails on a
// license that it does not allow or does not know, and writes the notices that the
// build must be passed on with.
//
//	thirdparty -notices FILE DIR=PACKAGES...
//
// PACKAGES is a pattern of go list in the folder DIR, for example _build=. or .=./cmd/...
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// ours begins the paths of this project's modules.
const ours = "github.com/openaicompliance/"

func main() {
	notices := flag.String("notices", "", "the `file` for the notices")
	flag.Parse()
	if err := run(*notices, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "thirdparty:", err)
		os.Exit(1)
	}
}

func run(notices string, builds []string) error {
	used, err := packagesOf(builds)
	if err != nil {
		return err
	}
	texts, err := licenseFiles(used)
	if err != nil {
		return err
	}
	if err := check(texts); err != nil {
		return err
	}
	fmt.Printf("thirdparty: the licenses of %d modules are allowed: %s\n", len(texts), strings.Join(allowed, ", "))
	if notices == "" {
		return nil
	}
	var text strings.Builder
	writeNotices(&text, texts)
	return os.WriteFile(notices, []byte(text.String()), 0o644) //nolint:gosec // everybody may read it
}

// goPackage is what go list says of a package.
type goPackage struct {
	Dir    string
	Module *struct{ Path, Version, Dir string }
}

// packagesOf lists the packages of other modules that the builds are made of, and the
// standard library as one.
func packagesOf(builds []string) ([]goPackage, error) {
	if len(builds) == 0 {
		return nil, errors.New("name a build, such as _build=. for the collector")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	library := goPackage{Dir: strings.TrimSpace(string(root))}
	library.Module = &struct{ Path, Version, Dir string }{"the Go standard library", "", library.Dir}
	used := []goPackage{library}
	for _, build := range builds {
		dir, pattern, _ := strings.Cut(build, "=")
		cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", pattern) //nolint:gosec // the Makefile's arguments
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		if dir != "." { // not of go.work
			cmd.Env = append(os.Environ(), "GOWORK=off")
		}
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("go list %s in %s: %w", pattern, dir, err)
		}
		for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
			var p goPackage
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("read go list: %w", err)
			}
			if p.Module != nil && !strings.HasPrefix(p.Module.Path, ours) {
				used = append(used, p)
			}
		}
	}
	return used, nil
}

// module is one module and its texts by file name, relative to its folder.
type module struct {
	name  string // path and version
	texts map[string]string
}

// licenseFiles reads the license and notice files of the packages, each from its
// folder up to that of its module.
func licenseFiles(used []goPackage) ([]module, error) {
	found := map[string]module{}
	for _, p := range used {
		name := strings.TrimSpace(p.Module.Path + " " + p.Module.Version)
		if found[name].texts == nil {
			found[name] = module{name, map[string]string{}}
		}
		for dir := p.Dir; len(dir) >= len(p.Module.Dir); dir = filepath.Dir(dir) {
			if err := readTexts(found[name].texts, p.Module.Dir, dir); err != nil {
				return nil, fmt.Errorf("read the licenses of %s: %w", name, err)
			}
		}
	}
	var modules []module
	for _, m := range found {
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.name, b.name) })
	return modules, nil
}

func readTexts(texts map[string]string, root, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() || !isText(entry.Name()) || texts[name] != "" {
			continue
		}
		data, err := os.ReadFile(path) //nolint:gosec // a file of the module cache
		if err != nil {
			return err
		}
		texts[name] = string(data)
	}
	return nil
}

// writeNotices writes every license and notice, equal texts once.
func writeNotices(w io.Writer, modules []module) {
	names := map[string][]string{}
	var texts []string
	for _, m := range modules {
		for _, file := range sortedKeys(m.texts) {
			text := strings.TrimSpace(m.texts[file])
			if names[text] == nil {
				texts = append(texts, text)
			}
			names[text] = append(names[text], m.name+", "+file)
		}
	}
	line := strings.Repeat("-", 80)
	fmt.Fprintln(w, "What this software is made of, and the terms of each part.")
	for _, text := range texts {
		fmt.Fprintf(w, "\n%s\n%s\n%s\n\n%s\n", line, strings.Join(names[text], "\n"), line, text)
	}
}

func sortedKeys(texts map[string]string) (keys []string) {
	for key := range texts {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
