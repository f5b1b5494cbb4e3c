// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package compliance

import "testing"

// fifos is empty: the system has none.
func fifos(*testing.T, string) []string { return nil }
