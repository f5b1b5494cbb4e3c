// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

const scopePrefix = "chatgpt.enterprise.compliance_logs_platform."

// scopeOf is the scope that reads one event type and no other.
func scopeOf(eventType string) string { return scopePrefix + strings.ToLower(eventType) + ".read" }

// statusAdvice is for what the API itself answered; nothing else depends on it,
// so it may read what the API's message speaks of.
func statusAdvice(status *compliance.StatusError, eventType string) string {
	switch status.Status {
	case http.StatusUnauthorized:
		return keyAdvice(status.Key)
	case http.StatusForbidden:
		return forbiddenAdvice(status, eventType)
	case http.StatusBadRequest:
		return typeAdvice(status, eventType)
	case http.StatusNotFound:
		return principalAdvice(status.Organization)
	case http.StatusUnprocessableEntity:
		return "the API does not understand the request any more: report it with the error's text, a newer version of this receiver may be needed"
	case http.StatusTooManyRequests:
		return "the API's rate limit is used up; the receiver waits as the API asks"
	}
	return "none needed if it passes by itself"
}

const keyOrigin = "create one in the admin console under Credentials > Admin keys"

func keyAdvice(kind compliance.KeyKind) string {
	switch kind {
	case compliance.KeyAdmin:
		return "the API refuses the key: it was revoked, or belongs to another workspace or organisation; " + keyOrigin
	case compliance.KeyProject:
		return "the API refuses the key: of the keys that begin with sk-proj- only older compliance keys work here, a project's inference key never does; " + keyOrigin
	}
	return "the API refuses the key, which does not look like one for compliance logs: those begin with sk-admin-, older ones with sk-proj-, and an inference key never works here; " + keyOrigin
}

var (
	aboutAddress = regexp.MustCompile(`(?i)\bip\b|allow-?\s?list|network address`)
	aboutScope   = regexp.MustCompile(`(?i)scope|permission`)
)

func forbiddenAdvice(status *compliance.StatusError, eventType string) string {
	scope := "grant the key the scope " + scopeOf(eventType) + " (or " + scopePrefix + "read for all types)"
	address := "add the address that the collector's requests come from to the allow-list for the compliance API"
	switch {
	case aboutAddress.MatchString(status.Message):
		return "the API does not serve this address: " + address
	case aboutScope.MatchString(status.Message):
		return "the key may not read this type: " + scope
	case status.Organization:
		return "the key may not read this type, or not this organisation: " + scope + ", and check that the key was made in this organisation"
	}
	return "the key may not read this type, or not this workspace, or not from this address: " + scope +
		", check that the key was made in this workspace, and if the workspace has an IP allow-list, " + address
}

// typeAdvice is for an event type that the API does not take: one that belongs to
// the other kind of principal, or that it does not know.
func typeAdvice(status *compliance.StatusError, eventType string) string {
	here, there := "workspace_id", "organization_id"
	if status.Organization {
		here, there = there, here
	}
	known, ok := eventTypes[eventType]
	switch {
	case ok && ((status.Organization && !known.organization) || (!status.Organization && !known.workspace)):
		return "this event type does not exist under " + here + ": collect it with a receiver that has " + there
	case ok:
		return "the API does not give this event type to this principal, though it is a published one: check that it is enabled there, and " + here + " against " + there
	}
	if near := nearestType(eventType); near != "" {
		return "the API does not know this event type; did you mean " + near + "? Names are written as README lists them"
	}
	return "the API does not know this event type under " + here + ": check event_types; a type of the other kind of principal needs a receiver that has " + there
}

// nearestType is the known type that differs least from a name, if by no more
// than two letters or an underscore.
func nearestType(name string) string {
	best, least := "", 3
	for known := range eventTypes {
		if d := distance(name, known); d < least || (d == least && d < 3 && known < best) {
			best, least = known, d
		}
	}
	return best
}

// distance counts the letters to insert, to leave out or to change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{change, row[j] + 1, row[j+1] + 1})
		}
	}
	return row[len(b)]
}

func principalAdvice(organization bool) string {
	if organization {
		return "the API does not know this organisation, or not for this key: check organization_id (org-…, from the API Platform's settings; a ChatGPT workspace is another thing and goes under workspace_id)"
	}
	return "the API does not know this workspace, or not for this key: check workspace_id (the UUID in the workspace's settings; an API Platform organisation is another thing and goes under organization_id). Plans other than Enterprise, Edu and Healthcare have no compliance API"
}
