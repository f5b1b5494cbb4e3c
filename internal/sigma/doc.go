// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package sigma has the tests of deploy/sigma: an evaluator of the part of Sigma that the
// rules use, over records that internal/record maps, and the writer of their queries. It
// has no code outside of tests.
package sigma
