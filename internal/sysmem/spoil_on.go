// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

//go:build race || spoil

package sysmem

// spoil has rooms overwritten that are given back, so that tests notice who still
// looks into them.
const spoil = true
