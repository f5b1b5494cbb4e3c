// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package cli is the command openai-compliance: it looks at, fetches and verifies
// OpenAI's compliance logs, and shows and changes the checkpoints of a receiver.
//
// A program of one's own brings further storage extensions, so that the command state
// can open what they have stored:
//
//	func main() { os.Exit(cli.Main(yourstorage.NewFactory())) }
package cli

import (
	"cmp"
	"context"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"go.opentelemetry.io/collector/extension"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/command"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/fetch"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/inspect"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/preview"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/state"
	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/verify"
)

// CLI is the command.
type CLI struct{ storages []extension.Factory }

// New returns the command. Its state command opens storages of these factories.
func New(storages ...extension.Factory) *CLI { return &CLI{storages} }

// Run runs the command with arguments, its own name not among them. It returns the exit
// status: 0, 1 for a finding or a failure, or 2 for a call, a configuration or an input
// that is wrong. Of what fails one sentence is printed to stderr.
func (c *CLI) Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := command.NewEnv(stdin, stdout, stderr, c.storages...)
	return command.Run(ctx, newRoot(env), env, args) //nolint:contextcheck // cobra passes the context on
}

func newRoot(env *command.Env) *cobra.Command {
	root := command.NewRoot(env)
	if info, ok := debug.ReadBuildInfo(); ok {
		root.Version = cmp.Or(info.Main.Version, "unknown")
	}
	root.AddCommand(preview.New(env), fetch.New(env), state.New(env), inspect.New(env), verify.New(env))
	return root
}

// Main runs the command of this process until it ends or is interrupted, and returns its
// exit status.
func Main(storages ...extension.Factory) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return New(storages...).Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
