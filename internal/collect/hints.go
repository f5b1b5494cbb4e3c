// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// Hints: what an operator can do about a fault.
const (
	hintNone          = "look at the error; the next poll tries again"
	hintFirstRun      = "no file before floor is collected; start_from reaches 24h back unless it says otherwise, 30d at most; a replay collects earlier files"
	hintCut           = "the next poll resumes; raise poll_timeout or max_pages if this repeats"
	hintSlow          = "raise poll_timeout, or look at the network: the download takes longer; the retry queue has no such limit"
	hintNotAdvancing  = "the API repeats a page and says that there is more: report it to OpenAI; nothing was skipped"
	hintKeyFile       = "check api_key_file: the file must exist, be readable by the collector and hold the key alone"
	hintPaused        = "the storage host asked for a pause; requests to it resume after that"
	hintRedirect      = "the API names a download address that the receiver does not follow; see download::allowed_hosts and download::allowed_networks; the file is retried"
	hintIntegrity     = "the storage host serves other bytes than the API lists; the file is retried; report it to OpenAI if it stays so"
	hintDigestOverdue = "the next consumer rejects the digest record: read its log; records are delivered meanwhile"
	hintDigests       = "no file has the digest that the API lists, so it may mean something else; set download.verify: lenient to accept such files, marked, or ask OpenAI"
	hintUnverifiable  = "the API lists no digest for the file; download::verify: lenient delivers such files and marks them"
	hintTooLarge      = "raise download::max_file_size; the file is retried"
	hintUnreadable    = "the file's body cannot be decoded; the file is retried; report it to OpenAI if it stays so"
	hintAnswer        = "the answer is not what the API sends: check http::endpoint, and whether a proxy or gateway answers instead"
	hintConsumer      = "read the log of the next component; the batch is delivered again at the next poll"
	hintQueueFull     = "the retry queue is full: repair what fails, or remove entries with the state tool; the API keeps the files meanwhile"
	hintNetwork       = "check the network, http::proxy_url and http::tls"
	hintStorageHost   = "the storage host of the signed URLs does not answer: check that the network, the proxy and the firewall let it through"
	hintServer        = "the API has a fault of its own; the receiver retries"
	hintEndpoint      = "check http::endpoint: this answer does not come from the compliance API"
	hintListedFile    = "the API lists the file but does not serve it; the file is retried while it is listed"
	hintStorageFile   = "the storage host does not serve the file; it is retried with a new signed URL"
	hintRateLimit     = "the API's rate limit is used up, perhaps by another client of this workspace; lower rate_limit or wait"
	hintProxyLogin    = "the proxy wants a user name and a password: check http::proxy_url or HTTPS_PROXY"
	hintPortal        = "a network login page answers instead of the API: log the host in, or set http::proxy_url"
	hintLegal         = "the API is not available here for legal reasons: ask the workspace owner or OpenAI"
	hintTLSOrigin     = "a gateway before the API cannot verify it (526): retry later, or report it to OpenAI"
)

func hintProxy(status int) string {
	switch status {
	case http.StatusProxyAuthRequired, http.StatusUnauthorized:
		return hintProxyLogin
	case http.StatusForbidden, http.StatusMethodNotAllowed:
		return "the proxy denies this host: allow the host of http::endpoint and the hosts of the signed URLs"
	}
	return "the proxy cannot reach the host: read the proxy's log, and check http::endpoint"
}

// hintStatus reads what the API's message is about; no decision depends on that.
func hintStatus(status *compliance.StatusError, eventType string) string {
	switch code := status.Status; {
	case code == http.StatusProxyAuthRequired:
		return hintProxyLogin
	case code == http.StatusNetworkAuthenticationRequired:
		return hintPortal
	case code == http.StatusUnavailableForLegalReasons:
		return hintLegal
	case code == 526:
		return hintTLSOrigin
	case status.Op == compliance.OperationFetch && code >= http.StatusInternalServerError:
		return hintStorageHost
	case status.Op == compliance.OperationFetch:
		return hintStorageFile
	case code >= 300 && code < 400, code == http.StatusGone && status.Op == compliance.OperationList:
		return hintEndpoint
	case status.Op == compliance.OperationDownload && (code == http.StatusNotFound || code == http.StatusGone):
		return hintListedFile
	case code == http.StatusUnauthorized:
		return hintKey(status.Key)
	case code == http.StatusForbidden:
		return hintForbidden(status, eventType)
	case code == http.StatusBadRequest:
		return hintType(status, eventType)
	case code == http.StatusNotFound:
		return hintPrincipal(status.Organization)
	case code == http.StatusUnprocessableEntity:
		return "the API does not understand the request: report the error's text, a newer version of this receiver may be needed"
	case code == http.StatusTooManyRequests:
		return hintRateLimit
	case code >= http.StatusInternalServerError || code == http.StatusRequestTimeout:
		return hintServer
	}
	return hintEndpoint
}

const keyOrigin = "create one in the admin console under Credentials > Admin keys"

func hintKey(kind compliance.KeyKind) string {
	switch kind {
	case compliance.KeyAdmin:
		return "the API denies the key: it was revoked, or belongs to another workspace or organization; " + keyOrigin
	case compliance.KeyProject:
		return "the API denies the key: of the keys that begin with sk-proj- only older compliance keys work, a project's inference key never does; " + keyOrigin
	}
	return "the API denies the key, which does not look like one for compliance logs: those begin with sk-admin-, older ones with sk-proj-; an inference key never works; " + keyOrigin
}

const scopePrefix = "chatgpt.enterprise.compliance_logs_platform."

// scopeOf is the scope that reads one event type and no other.
func scopeOf(eventType string) string { return scopePrefix + strings.ToLower(eventType) + ".read" }

var (
	addressMessage = regexp.MustCompile(`(?i)\bip\b|allow-?\s?list|network address`)
	scopeMessage   = regexp.MustCompile(`(?i)scope|permission`)
)

func hintForbidden(status *compliance.StatusError, eventType string) string {
	scope := "grant the key the scope " + scopeOf(eventType) + " (or " + scopePrefix + "read for all types)"
	address := "add the address that the collector's requests come from to the allow-list for the compliance API"
	switch {
	case addressMessage.MatchString(status.Message):
		return "the API does not serve this address: " + address
	case scopeMessage.MatchString(status.Message):
		return "the key may not read this type: " + scope
	case status.Organization:
		return "the key may not read this type, or not this organization: " + scope + ", and check that the key was made in this organization"
	}
	return "the key may not read this type, or not this workspace, or not from this address: " + scope +
		", check that the key was made in this workspace, and if the workspace has an IP allow-list, " + address
}

// hintType is for an event type that the API does not accept: one of the other
// kind of principal, or an unknown one.
func hintType(status *compliance.StatusError, eventType string) string {
	here, there := "workspace_id", "organization_id"
	if status.Organization {
		here, there = there, here
	}
	known, ok := EventTypes[eventType]
	switch {
	case ok && ((status.Organization && !known.Organization) || (!status.Organization && !known.Workspace)):
		return "this event type does not exist under " + here + ": collect it with a receiver that has " + there
	case ok:
		return "the API does not give this event type to this principal, though it is a published one: check that it is enabled there, and " + here + " against " + there
	}
	if near := nearestType(eventType); near != "" {
		return "the API does not know this event type; did you mean " + near + "? README lists the names"
	}
	return "the API does not know this event type under " + here + ": check event_types; a type of the other kind of principal needs a receiver that has " + there
}

func hintPrincipal(organization bool) string {
	if organization {
		return "check http::endpoint, then organization_id (org-…, from the API Platform's settings; a ChatGPT workspace goes under workspace_id): the API does not know it, or not for this key"
	}
	return "check http::endpoint, then workspace_id (the UUID in the workspace's settings; an API Platform organization goes under organization_id): the API does not know it, or not for this key. Plans other than Enterprise, Edu and Healthcare have no compliance API"
}

// nearestType is the known type that differs least from a name, if by no more
// than two letters or an underscore.
func nearestType(name string) string {
	best, least := "", 3
	for known := range EventTypes {
		if d := editDistance(name, known); d < least || (d == least && d < 3 && known < best) {
			best, least = known, d
		}
	}
	return best
}

// editDistance counts the letters to insert, to leave out or to change.
func editDistance(a, b string) int {
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
