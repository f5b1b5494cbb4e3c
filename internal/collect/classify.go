// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/checkpoint"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
)

// Scope is how far a fault reaches. It never spreads beyond.
type Scope string

// The scopes.
const (
	ScopeNone     Scope = ""         // no fault, or the end of the receiver
	ScopeFile     Scope = "file"     // this one file
	ScopeHost     Scope = "host"     // the storage host, or the one file that it serves
	ScopeType     Scope = "type"     // the event type
	ScopeKey      Scope = "key"      // the key, its scopes, or the principal
	ScopeNetwork  Scope = "network"  // the way to the API
	ScopeConsumer Scope = "consumer" // the next consumer
	ScopeStorage  Scope = "storage"  // the storage extension
)

// Retry is when a failed request is worth another try.
type Retry int

// The answers.
const (
	RetryNever    Retry = iota // the receiver ends, or nothing failed
	RetryNow                   // within the poll, with back-off
	RetryURL                   // within the poll, with a new signed URL
	RetryPause                 // once the pause is over that the server or the limiter asks for
	RetryQueue                 // from the retry queue
	RetryNextPoll              // at the next poll
)

// Outcomes of a poll, as the metric polls names them.
const (
	PollSuccess      = "success"
	PollPartial      = "partial"
	PollUnauthorized = "unauthorized"
	PollForbidden    = "forbidden"
	PollNotFound     = "not_found"
	PollFailed       = "failed"
)

// Fault is what an error means. Its texts are constants.
type Fault struct {
	Scope Scope
	Retry Retry
	// Label is a short constant for the cause: error.type of spans, cause of
	// entries of the retry queue.
	Label string
	// Poll is the outcome of a poll that ends with the error.
	Poll string
	// Hint is what an operator can do.
	Hint string
	// Pause is what the server, or the limiter, asks for.
	Pause Pause
	// OtherDigest is set for a whole body of the listed size with another digest.
	OtherDigest bool
	// Gone is set when the API itself says that it has no such file: its download
	// route answered 404 or 410. A storage host's answer says nothing of that.
	Gone bool
}

// Pause is a time without requests.
type Pause struct {
	For     time.Duration        // the server's Retry-After, 0 without one
	Op      compliance.Operation // the operation that it is about
	Host    string               // the storage host, empty for the API
	Limited bool                 // a 429
	Waiting time.Duration        // what is left of an earlier pause of the host
}

var (
	// errCut ends a poll by poll_timeout or max_pages. The poll is partial.
	errCut = errors.New("poll_timeout or max_pages is reached")
	// errSlow is a file that poll_timeout ends each time.
	errSlow = errors.New("download file: it takes longer than poll_timeout")
	// errHeld ends a poll while all streams hold, with no file left to try.
	errHeld = errors.New("verify files: no file has its listed digest")
	// errShutdown keeps a stream that Shutdown had to detach from writing over
	// what its successor has stored.
	errShutdown = errors.New("store checkpoint: the receiver was shut down")
	// errUnverifiable is a file that is listed without a digest, with strict
	// verification.
	errUnverifiable = errors.New("verify file: the listing holds no digest, and download::verify is strict")
)

// Classifier says what errors mean. It is the only place that looks into one.
type Classifier struct {
	// EventType names the stream in hints.
	EventType string
	// StatusCodes of the API that are tried again within a poll.
	StatusCodes []int
}

// Classify says what an error means.
func (c Classifier) Classify(err error) Fault {
	var (
		status *compliance.StatusError
		answer *compliance.AnswerError
		proxy  *compliance.ProxyError
		paused *limit.PausedError
		key    *compliance.KeyError
	)
	fault := Fault{Scope: ScopeType, Retry: RetryNextPoll, Poll: PollFailed}
	switch {
	case err == nil:
		return Fault{Poll: PollSuccess}
	case errors.Is(err, errCut):
		fault.Label, fault.Poll, fault.Hint = "cut", PollPartial, hintCut
	case errors.Is(err, compliance.ErrNotAdvancing):
		fault.Label, fault.Poll, fault.Hint = "not_advancing", PollPartial, hintNotAdvancing
	case errors.Is(err, errHeld):
		fault.Scope, fault.Label, fault.Poll, fault.Hint = ScopeNetwork, "held", PollPartial, hintDigests
	case errors.Is(err, errSlow):
		fault.Scope, fault.Retry, fault.Label, fault.Hint = ScopeHost, RetryQueue, "slow", hintSlow
	case errors.As(err, &key):
		fault.Scope, fault.Label, fault.Hint = ScopeKey, "key_file", hintKeyFile
	case errors.As(err, &paused):
		fault.Scope, fault.Retry, fault.Label, fault.Hint = ScopeHost, RetryPause, "paused", hintPaused
		fault.Pause.Waiting = paused.For
	case errors.As(err, &status):
		return c.classifyStatus(status)
	case errors.As(err, &answer):
		fault.Label, fault.Hint = "answer", hintAnswer
	case errors.As(err, &proxy):
		fault.Scope, fault.Retry, fault.Label, fault.Hint = ScopeNetwork, RetryNow, "proxy", hintProxy(proxy.Status)
	case errors.Is(err, deliver.ErrRetriesExhausted):
		fault.Scope, fault.Label, fault.Hint = ScopeConsumer, "consumer", hintConsumer
	case errors.Is(err, checkpoint.ErrQueueFull):
		fault.Label, fault.Hint = labelQueueFull, hintQueueFull
	case errors.Is(err, errShutdown):
		return Fault{Label: "shutdown", Poll: PollFailed}
	default:
		return c.classifyFile(err)
	}
	return fault
}

// classifyFile is for what is wrong with one file, and for requests without a usable
// answer.
func (Classifier) classifyFile(err error) Fault {
	var (
		redirect  *compliance.RedirectError
		integrity *compliance.IntegrityError
		request   *compliance.RequestError
	)
	fault := Fault{Scope: ScopeFile, Retry: RetryQueue, Poll: PollFailed}
	switch {
	case errors.As(err, &redirect):
		fault.Label, fault.Hint = "redirect", hintRedirect
	case errors.As(err, &integrity) && integrity.OtherDigest():
		fault.Label, fault.Hint, fault.OtherDigest = labelDigest, hintIntegrity, true
	case errors.As(err, &integrity):
		fault.Label, fault.Hint = "integrity", hintIntegrity
	case errors.Is(err, errUnverifiable):
		fault.Label, fault.Hint = "unverifiable", hintUnverifiable
	case errors.Is(err, compliance.ErrTooLarge):
		fault.Label, fault.Hint = "too_large", hintTooLarge
	case errors.Is(err, compliance.ErrUnreadable):
		fault.Label, fault.Hint = "unreadable", hintUnreadable
	case errors.As(err, &request):
		return classifyRequest(request)
	case errors.Is(err, context.Canceled):
		return Fault{Label: "canceled", Poll: PollFailed}
	default: // the conventions' name for the rest
		return Fault{Scope: ScopeType, Retry: RetryNextPoll, Label: "_OTHER", Poll: PollFailed, Hint: hintNone}
	}
	return fault
}

// classifyRequest is for a request without a usable answer: of the API it concerns
// the network, of a storage host the host.
func classifyRequest(request *compliance.RequestError) Fault {
	fault := Fault{Scope: ScopeNetwork, Retry: RetryNow, Label: "no_answer", Poll: PollFailed, Hint: hintNetwork}
	if request.Op == compliance.OperationFetch {
		fault.Scope, fault.Hint = ScopeHost, hintStorageHost
	}
	return fault
}

func (c Classifier) classifyStatus(status *compliance.StatusError) Fault {
	fault := Fault{Scope: ScopeType, Retry: RetryNextPoll, Label: strconv.Itoa(status.Status), Poll: PollFailed, Hint: hintStatus(status, c.EventType)}
	fault.Pause = Pause{For: status.RetryAfter, Op: status.Op, Limited: status.Status == http.StatusTooManyRequests}
	switch status.Op {
	case compliance.OperationFetch:
		return c.classifyFetch(status, fault)
	case compliance.OperationDownload:
		return c.classifyDownload(status, fault)
	}
	switch code := status.Status; {
	case code == http.StatusUnauthorized:
		fault.Scope, fault.Poll = ScopeKey, PollUnauthorized
	case code == http.StatusForbidden:
		fault.Scope, fault.Poll = ScopeKey, PollForbidden
	case code == http.StatusNotFound || code == http.StatusBadRequest:
		fault.Poll = PollNotFound
	case code == http.StatusProxyAuthRequired, code == http.StatusNetworkAuthenticationRequired:
		fault.Scope = ScopeNetwork
	case code == http.StatusTooManyRequests:
		fault.Scope, fault.Retry = ScopeKey, RetryPause
	case c.mayPass(code):
		fault.Scope = ScopeNetwork
	}
	if fault.Retry == RetryNextPoll && slices.Contains(c.StatusCodes, status.Status) {
		fault.Retry = RetryNow
	}
	return fault
}

// mayPass reports whether a status is about the server's state and not about what
// was asked for.
func (c Classifier) mayPass(code int) bool {
	return code == http.StatusRequestTimeout || code >= http.StatusInternalServerError || slices.Contains(c.StatusCodes, code)
}

// classifyDownload is for answers of the download route, which is the API's own.
func (c Classifier) classifyDownload(status *compliance.StatusError, fault Fault) Fault {
	fault.Scope, fault.Retry = ScopeFile, RetryQueue
	fault.Gone = status.Status == http.StatusNotFound || status.Status == http.StatusGone
	switch code := status.Status; {
	case code == http.StatusUnauthorized:
		fault.Scope, fault.Retry, fault.Poll = ScopeKey, RetryNextPoll, PollUnauthorized
	case code == http.StatusForbidden:
		fault.Scope, fault.Retry, fault.Poll = ScopeKey, RetryNextPoll, PollForbidden
	case code == http.StatusTooManyRequests:
		fault.Scope, fault.Retry = ScopeKey, RetryPause
	case c.mayPass(code):
		fault.Scope, fault.Retry = ScopeHost, RetryNow
	}
	return fault
}

// classifyFetch is for answers of storage hosts. 401 and 403 are what an expired
// signed URL gets: a new one from the API may do.
func (c Classifier) classifyFetch(status *compliance.StatusError, fault Fault) Fault {
	fault.Scope, fault.Retry = ScopeFile, RetryQueue
	fault.Pause.Host = status.Host
	switch code := status.Status; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		fault.Retry = RetryURL
	case code == http.StatusTooManyRequests:
		fault.Scope, fault.Retry = ScopeHost, RetryPause
	case c.mayPass(code):
		fault.Scope, fault.Retry = ScopeHost, RetryNow
	}
	return fault
}

// labelDigest is the label of a file that has another digest than listed.
const labelDigest = "digest"

// labelQueueFull is the label of a commit that found no room in the retry queue.
const labelQueueFull = "queue_full"

// labelEntry is the label of a file whose list entry has a fault.
const labelEntry = "entry"

// listingCauses are the labels of files whose listing may be wrong.
var listingCauses = []string{labelEntry, "digest", "integrity", "unverifiable", "too_large"}
