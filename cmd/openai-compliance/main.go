// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command openai-compliance looks at, fetches and verifies OpenAI's compliance logs, and
// shows and changes the checkpoints of a stopped collector.
package main

import (
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/cli"
)

func main() { os.Exit(cli.Main(filestorage.NewFactory())) }
