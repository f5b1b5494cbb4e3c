// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package command

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/openaicompliance/openaicompliancereceiver/internal/timespec"
)

// Format is how results are printed.
type Format string

// The formats.
const (
	Table Format = "table" // for people
	JSON  Format = "json"
)

// Set implements pflag.Value.
func (f *Format) Set(text string) error {
	if Format(text) != Table && Format(text) != JSON {
		return errors.New("write table or json")
	}
	*f = Format(text)
	return nil
}

func (f *Format) String() string { return string(*f) }

// Type implements pflag.Value.
func (*Format) Type() string { return "table|json" }

// AddFormat adds the flag to a command. json says what the JSON is, for the help.
func AddFormat(cmd *cobra.Command, f *Format, json string) {
	*f = Table
	cmd.Flags().VarP(f, "output", "o", "how to print: table is for people, json is "+json)
	complete(cmd, "output", "table", "json")
}

func complete(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag was added before
	}
}

// Time is a flag that takes what start_from takes.
type Time struct {
	text string
	spec timespec.Spec
}

// NewTime returns a flag with a default.
func NewTime(text string) *Time {
	t := &Time{}
	if err := t.Set(text); err != nil {
		panic(err) // a constant of this program
	}
	return t
}

// Set implements pflag.Value.
func (t *Time) Set(text string) (err error) {
	t.text = text
	t.spec, err = timespec.Parse(text)
	return err
}

func (t *Time) String() string { return t.text }

// Type implements pflag.Value.
func (*Time) Type() string { return "TIME" }

// PastAt is the time that is meant at a moment, in UTC. One in the future is a misuse.
func (t *Time) PastAt(now time.Time, flag string) (time.Time, error) {
	at := t.spec.At(now).UTC()
	if at.After(now) {
		hint := ""
		if _, err := timespec.Parse("-" + t.text); err == nil {
			hint = fmt.Sprintf("; did you mean -%s?", t.text)
		}
		return time.Time{}, Misusef("--%s: %q is in the future%s", flag, t.text, hint)
	}
	return at, nil
}
