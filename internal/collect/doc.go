// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package collect is the engine: it brings one event type from the listing to the
// checkpoint.
//
// One file goes one way. Stream.Run starts a goroutine for each segment and one for
// the retry queue. A segment polls: PlanPoll says what the next poll lists, the
// lister yields the files that still need delivery, the prefetcher downloads them in
// order, and transfer delivers their lines and commits. What cannot be downloaded,
// or is rejected for good, waits in the retry queue. Classify is the only place that
// looks into an error; Clocks is the only place that judges a time of day.
package collect
