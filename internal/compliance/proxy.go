// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// ProxyError is a proxy that does not open the way to a host.
type ProxyError struct{ Status int }

func (e *ProxyError) Error() string {
	return fmt.Sprintf("the proxy answered %d %s", e.Status, http.StatusText(e.Status))
}

// NameProxyRefusals makes a transport say that it was the proxy that refused: by
// itself it gives the text of the status alone, so that a proxy's "Unauthorized"
// reads like the API's.
func NameProxyRefusals(t *http.Transport) {
	t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		return &ProxyError{Status: answer.StatusCode}
	}
}
