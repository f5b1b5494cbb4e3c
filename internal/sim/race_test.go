// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race

package sim

// The race detector makes a day ten times as long; a few days show it every
// goroutine there is.
func init() { *days = 3 }
