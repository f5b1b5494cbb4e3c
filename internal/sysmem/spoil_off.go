// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race && !spoil

package sysmem

// spoil is off: overwriting takes as long as reading a file into memory.
const spoil = false
