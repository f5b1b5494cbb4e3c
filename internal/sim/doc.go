// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package sim holds tests only: seeded simulations of the whole receiver. One
// seed is one world - files, settings, faults, restarts and crashes - that runs
// for a day of simulated time against the fake API over an in-memory network,
// while a model checks what reaches the next consumer.
//
//	go test ./internal/sim                   the seeds of every change
//	go test ./internal/sim -sim-days 2000    more of them
//	go test ./internal/sim -sim-seed 17 -v   one again, with its history
package sim
