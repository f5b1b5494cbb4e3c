// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package backends has the tests of docs/backends.md: that it is complete, and that what
// it calls validated or run is. It has no code outside of tests.
package backends
