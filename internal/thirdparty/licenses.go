// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// allowed are the licenses, by their SPDX names, under which a part may be linked
// with Apache-2.0 and passed on.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0"}

// marks tell a license by its words. All words of a row must be there; the first row
// that fits counts. MPL-2.0 comes before the licenses that it names.
var marks = []struct {
	license string
	words   []string
}{
	{"MPL-2.0", []string{"mozilla public license version 2.0", "1. definitions"}},
	{"MPL-2.0", []string{"mozilla public license, version 2.0", "1. definitions"}},
	{"AGPL", []string{"gnu affero general public license", "terms and conditions"}},
	{"LGPL", []string{"gnu lesser general public license", "version"}},
	{"GPL", []string{"gnu general public license", "terms and conditions"}},
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "neither the name"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "may not be used to endorse"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms", "this list of conditions"}},
	{"MIT", []string{"permission is hereby granted, free of charge, to any person obtaining a copy"}},
	{"ISC", []string{"permission to use, copy, modify, and", "distribute this software for any purpose with or without fee"}},
}

// classify names the license of a text, "" for one that is not known.
func classify(text string) string {
	text = strings.Join(strings.Fields(strings.ToLower(text)), " ")
	for _, mark := range marks {
		missing := func(word string) bool { return !strings.Contains(text, word) }
		if !slices.ContainsFunc(mark.words, missing) {
			return mark.license
		}
	}
	return ""
}

const britishLicense = "LICENCE" //nolint:misspell // files have that name

// isText reports whether a file holds a license or a notice, by its name.
func isText(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	for _, word := range []string{"LICENSE", britishLicense, "COPYING", "NOTICE", "UNLICENSE"} {
		if base == word || strings.HasPrefix(base, word+"-") || strings.HasPrefix(base, word+"_") {
			return !strings.HasSuffix(name, ".go")
		}
	}
	return false
}

// isNotice reports whether a file adds to a license and is none.
func isNotice(file string) bool {
	return strings.HasPrefix(strings.ToUpper(filepath.Base(file)), "NOTICE")
}

// check reports every module without a license, and every license that is not
// allowed.
func check(modules []module) error {
	var errs []error
	for _, m := range modules {
		licenses := 0
		for _, file := range sortedKeys(m.texts) {
			if isNotice(file) {
				continue
			}
			licenses++
			switch license := classify(m.texts[file]); {
			case license == "":
				errs = append(errs, fmt.Errorf("%s, %s: unknown license", m.name, file))
			case !slices.Contains(allowed, license):
				errs = append(errs, fmt.Errorf("%s, %s: license %s is not allowed", m.name, file, license))
			}
		}
		if licenses == 0 {
			errs = append(errs, fmt.Errorf("%s: no license file", m.name))
		}
	}
	return errors.Join(errs...)
}
