// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"errors"
	"net/http"

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
		return statusAdvice(status, eventType)
	case errors.As(err, &redirect):
		return "the signed URL points where the redirect policy does not allow; see download::allowed_hosts"
	case errors.Is(err, compliance.ErrTooLarge):
		return "raise download::max_file_size; the file is tried again at the next pass"
	case errors.Is(err, errTies):
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
