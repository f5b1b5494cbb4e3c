// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"net/http"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/deliver"
)

// advice says what an operator can do about an error of a pass.
func advice(err error, eventType string) string {
	var (
		status   *compliance.StatusError
		redirect *compliance.RedirectError
		answer   *compliance.AnswerError
		request  *compliance.RequestError
		proxy    *compliance.ProxyError
	)
	switch {
	case errors.As(err, &status) && status.Op == compliance.OperationDownload && status.Status == http.StatusNotFound:
		return "the API lists the file but does not serve it; it is tried again while it stays listed"
	case errors.As(err, &status) && status.Op != compliance.OperationFetch:
		return statusAdvice(status.Status, eventType)
	case errors.As(err, &redirect):
		return "the signed URL points where the redirect policy does not allow; see download::allowed_hosts"
	case errors.Is(err, compliance.ErrTooLarge):
		return "raise download::max_file_size; the file is tried again at the next pass"
	case errors.Is(err, compliance.ErrTiesFillPage):
		return "the listing cannot be completed by time; report it to the vendor, nothing was skipped"
	case errors.As(err, &answer):
		return "the answer is not what the API sends: check http::endpoint, and whether a proxy or a gateway answers in its place"
	case errors.As(err, &proxy):
		return proxyAdvice(proxy.Status)
	case errors.As(err, &request):
		return "the request got no answer: check the network, http::proxy_url and http::tls, if it does not pass by itself"
	case errors.Is(err, deliver.ErrGivenUp):
		return "look at what the next component's own log says; the batch is handed over again by the next pass"
	}
	return "none needed if it passes by itself"
}

func proxyAdvice(status int) string {
	switch status {
	case http.StatusProxyAuthRequired, http.StatusUnauthorized:
		return "the proxy wants a user and a password, or others than these: check http::proxy_url, or HTTPS_PROXY in the environment"
	case http.StatusForbidden, http.StatusMethodNotAllowed:
		return "the proxy does not allow this host: let it through to the host of http::endpoint and to the hosts of the signed URLs"
	}
	return "the proxy cannot reach the host: look at the proxy's own log, and check http::endpoint"
}

func statusAdvice(status int, eventType string) string {
	switch status {
	case http.StatusUnauthorized:
		return "the API refuses the key: check api_key or api_key_file; an inference key never works here, a compliance or admin key is needed"
	case http.StatusForbidden:
		return "the key may not read this type, or not from this address: grant it the scope chatgpt.enterprise.compliance_logs_platform." +
			strings.ToLower(eventType) + ".read, and check the workspace's IP allow-list"
	case http.StatusBadRequest:
		return "the API does not know this event type for this kind of principal: check event_types, and workspace_id against organization_id"
	case http.StatusNotFound:
		return "the API does not know the principal: check workspace_id or organization_id"
	case http.StatusTooManyRequests:
		return "the API's rate limit is used up; the receiver waits as the API asks"
	}
	return "none needed if it passes by itself"
}
