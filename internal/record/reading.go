// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strconv"
	"strings"
	"time"
)

// reading makes the text of an attribute of the text of a field; "" sets nothing.
type reading struct {
	words string // in the document
	text  func(text string) string
}

// What a reading gives for an outcome beside the values of AttrOutcome.
const (
	// outcomeNone is of a value that is known to say nothing.
	outcomeNone = "none"
	// outcomeUnknown is of a value of a result that nobody knows: no success.
	outcomeUnknown = "unknown"
)

var (
	// resultOutcome reads the field of a result, whose every value says something.
	resultOutcome = &reading{"by its words", func(text string) string {
		if outcome := outcomeOfWords(text); outcome != "" {
			return outcome
		}
		return outcomeUnknown
	}}
	// nameOutcome reads the name of an action or sub-type, of which most say nothing.
	nameOutcome = &reading{"by its words", outcomeOfWords}
	authOutcome = &reading{"by its words; token_issued, token_revoked, password_reset_initiated, password_reset_admin → success", func(text string) string {
		if outcome, ok := authOutcomes[text]; ok {
			return outcome
		}
		return outcomeOfWords(text)
	}}
	errorOutcome   = &reading{"any → failure", func(string) string { return OutcomeFailure }}
	isErrorOutcome = &reading{"true → failure, false → success", func(text string) string {
		if text == "true" {
			return OutcomeFailure
		}
		return OutcomeSuccess
	}}
)

// authOutcomes are the actions of sign-ins whose words do not tell.
var authOutcomes = map[string]string{
	"token_issued": OutcomeSuccess, "token_revoked": OutcomeSuccess,
	"password_reset_initiated": OutcomeSuccess, "password_reset_admin": OutcomeSuccess,
	"password_login_sentinel_challenge": outcomeNone,
}

// outcomeWords say how something ended, wherever they stand; success only where it stands
// last or nothing else tells.
var outcomeWords = map[string]string{
	"failed": OutcomeFailure, "failure": OutcomeFailure, "failures": OutcomeFailure, "fail": OutcomeFailure,
	"error": OutcomeFailure, "errored": OutcomeFailure, "errors": OutcomeFailure, "invalid": OutcomeFailure,
	"timeout": OutcomeFailure, "timed": OutcomeFailure, "abort": OutcomeFailure, "aborted": OutcomeFailure,
	"cancel": OutcomeFailure, "canceled": OutcomeFailure, "interrupted": OutcomeFailure,
	"cancelled":    OutcomeFailure, //nolint:misspell // the API's word
	"unauthorized": OutcomeFailure, "unsuccessful": OutcomeFailure,
	"blocked": OutcomeBlocked, "locked": OutcomeBlocked, "denied": OutcomeBlocked, "deny": OutcomeBlocked, "refused": OutcomeBlocked,
	"rejected": OutcomeBlocked, "forbidden": OutcomeBlocked, "decline": OutcomeBlocked, "declined": OutcomeBlocked,
	"success": OutcomeSuccess, "succeeded": OutcomeSuccess, "successful": OutcomeSuccess, "completed": OutcomeSuccess,
	"ok": OutcomeSuccess, "accept": OutcomeSuccess, "accepted": OutcomeSuccess, "approved": OutcomeSuccess, "approve": OutcomeSuccess,
}

// outcomeOfWords reads how something ended from the words of a value: the last one, if it
// tells, else the worst of the others.
func outcomeOfWords(text string) string {
	worst, last := "", ""
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), isWordBreak) {
		last = outcomeWords[word]
		if worst == "" || last == OutcomeBlocked || last == OutcomeFailure && worst == OutcomeSuccess {
			worst = last
		}
	}
	if last != "" {
		return last
	}
	return worst
}

func isWordBreak(r rune) bool { return strings.ContainsRune("_-. :/", r) }

var (
	// asnNumber reads AS29518 and 29518.
	asnNumber = &reading{"AS29518 → 29518", func(text string) string {
		if len(text) > 2 && strings.EqualFold(text[:2], "as") {
			return text[2:]
		}
		return text
	}}
	emailAddress = &reading{"if it has an @", func(text string) string {
		if strings.Contains(text, "@") {
			return text
		}
		return ""
	}}
	// withoutQuery leaves out what of a URL may be a secret.
	withoutQuery = &reading{"without its query", func(text string) string {
		if end := strings.IndexAny(text, "?#"); end >= 0 {
			return text[:end]
		}
		return text
	}}
	// instant writes a time in one way.
	instant = &reading{"as RFC 3339 in UTC", func(text string) string {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
			if at := time.Unix(seconds, 0); !at.Before(earliest) && !at.After(latest) {
				return at.UTC().Format(time.RFC3339)
			}
			return ""
		}
		if at, ok := parseTime(text); ok {
			return at.UTC().Format(time.RFC3339Nano)
		}
		return ""
	}}
)
