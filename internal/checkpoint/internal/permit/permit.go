// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package permit keeps the receiver from editing stored state: checkpoint asks for
// an Edit before it gives out what changes a position without a Receipt, and only
// packages below internal/checkpoint can import this one.
package permit

// Edit permits to change stored state by hand.
type Edit struct{ _ int }
