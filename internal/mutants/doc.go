// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command mutants tests the tests: it puts one known fault after the other into a
// copy of a source file and requires that the tests named for it fail. Nothing is
// written into the tree; the copy reaches the compiler through `go test -overlay`.
//
// A fault that no test notices, one that does not compile, and one whose place in
// the source is not found exactly once end the run with an error, so the table
// cannot rot in silence.
package main
