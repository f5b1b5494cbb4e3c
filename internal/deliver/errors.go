// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/consumer/consumererror"
)

// ErrRetriesExhausted is a batch that was rejected for longer than the retry
// settings allow. Nothing of it is lost: the checkpoint has not moved.
var ErrRetriesExhausted = errors.New("the next consumer rejected the batch for longer than retry_on_failure allows")

// shown is the next consumer's error as it is reported.
func (c *Consumer) shown(err error) error {
	if c.set.HideErrors {
		return hiddenError{err}
	}
	return truncatedError{err}
}

// hiddenError is another component's error with a text that may quote a record whose
// content is withheld: it shows kind and length alone.
type hiddenError struct{ error }

// Error says nothing of the text.
func (e hiddenError) Error() string {
	kind := "retryable"
	if isPermanent(e.error) {
		kind = "permanent"
	}
	return fmt.Sprintf("%s error, its text of %d bytes is withheld", kind, len(e.error.Error()))
}

// Unwrap keeps the error's kind.
func (e hiddenError) Unwrap() error { return e.error }

// truncatedError is another component's error with a text of bounded length: it
// ends up in our logs, status and spans, and may quote what the component was given.
type truncatedError struct{ error }

const maxErrorLength = 300 // characters

// Error cuts the text.
func (e truncatedError) Error() string {
	text := []rune(e.error.Error())
	if len(text) > maxErrorLength {
		return string(text[:maxErrorLength]) + "…"
	}
	return string(text)
}

// Unwrap keeps the error's kind.
func (e truncatedError) Unwrap() error { return e.error }

// isPermanent reports whether nobody will accept the batch any more. A fan-out
// joins the answers of several consumers; consumererror.IsPermanent is true of
// the join when one of them is permanent, while another may still accept.
func isPermanent(err error) bool {
	if !consumererror.IsPermanent(err) {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, part := range joined.Unwrap() {
			if !isPermanent(part) {
				return false
			}
		}
		return true
	}
	if inner := errors.Unwrap(err); consumererror.IsPermanent(inner) {
		return isPermanent(inner)
	}
	return true // this layer itself is the permanent one
}
