// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package openaicompliancereceiver brings the compliance logs of ChatGPT
// Enterprise and Edu workspaces and of API Platform organisations into a
// collector pipeline.
//
// It lists the exported JSONL files of each event type, downloads and verifies
// them, turns each line into one log record and keeps its position in a storage
// extension. The position is stored only after the next consumer accepted the
// records, as the contract in go.opentelemetry.io/collector/receiver asks of
// receivers that checkpoint; errors are told apart as
// go.opentelemetry.io/collector/consumer/consumererror defines.
package openaicompliancereceiver
