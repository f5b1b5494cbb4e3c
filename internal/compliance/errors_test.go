// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listError is what a list says about one answer of the API.
func listError(t *testing.T, status int, body string, header ...string) *StatusError {
	t.Helper()
	api := newHost(t, answering(status, body, header...))
	_, err := newClient(t, api.URL).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	return requireErrorAs[*StatusError](t, err)
}

// The statuses that the API is known to answer, with the bodies that have been
// seen: error.message, detail as a text or as a list, message, and none.
func TestStatusErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status        int
		body, message string
	}{
		"400 with error.message":  {400, `{"error":{"message":"Invalid event_type X","type":"y"}}`, "Invalid event_type X"},
		"401 with a detail":       {401, `{"detail":"Invalid authentication credentials"}`, "Invalid authentication credentials"},
		"403 with a message":      {403, `{"message":"Missing scope"}`, "Missing scope"},
		"404 with an error text":  {404, `{"error":"Not found"}`, "Not found"},
		"422 with a list":         {422, `{"detail":[{"type":"missing","loc":["query","after"],"msg":"Field required"}]}`, "[query after]: Field required"},
		"429 with HTML":           {429, `<html>` + canary + `</html>`, ""},
		"500 with nothing":        {500, ``, ""},
		"503 with other JSON":     {503, `{"data":["` + canary + `"]}`, ""},
		"a status without a name": {599, `{"detail":null}`, ""},
		"a redirect":              {304, ``, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := listError(t, tt.status, tt.body, "X-Request-Id", "req_1")
			assert.Equal(t, StatusError{Op: OperationList, Status: tt.status, RequestID: "req_1", Message: tt.message, Key: KeyAdmin}, *got)
			assert.Contains(t, got.Error(), fmt.Sprintf("list: %d", tt.status))
			assert.Contains(t, got.Error(), tt.message)
			assert.Contains(t, got.Error(), "(request req_1)")
		})
	}
}

// A refusal tells what kind of key was sent and whose logs were asked for, and no
// more of either.
func TestStatusErrorNamesKindsOnly(t *testing.T) {
	t.Parallel()
	api := newHost(t, answering(401, ""))
	for key, want := range map[StaticKey]KeyKind{
		testKey: KeyAdmin, "sk-proj-" + canary: KeyProject, "sk-" + canary: KeyOther, canary: KeyOther,
	} {
		for _, organization := range []bool{false, true} {
			c := newClient(t, api.URL, func(s *Settings) { s.Key, s.Principal.Organization = key, organization })
			_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			assert.Equal(t, StatusError{Op: OperationList, Status: 401, Key: want, Organization: organization}, *requireErrorAs[*StatusError](t, err))
		}
	}
}

// Text of the server is made safe before it is told: no key, nothing like one,
// no query, nothing that forges a log line, and not much of it.
func TestMessagesAreScrubbed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ message, want string }{
		"the key":             {"Incorrect API key provided: " + testKey + ".", "Incorrect API key provided: [key]."},
		"the header":          {"Bearer " + testKey, "[not shown]"},
		"another key":         {"not sk-proj-abcdef123456 but sk-...RxIA", "not [not shown] but [not shown]"},
		"a URL with a query":  {"at https://x.example/logs?after=1&sig=2 now", "at https://x.example/logs[not shown] now"},
		"a quoted URL":        {`at "https://x.example/logs?after=1"`, `at "https://x.example/logs[not shown]"`},
		"control characters":  {"a\nFAKE level=error\x1b[31m\u2028b", "a FAKE level=error [31m b"},
		"more than 200 runes": {strings.Repeat("é", 300), strings.Repeat("é", 200) + "…"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := fmt.Sprintf(`{"detail":%q}`, tt.message)
			body = strings.NewReplacer(`\x1b`, `\u001b`).Replace(body)
			assert.Equal(t, tt.want, listError(t, 400, body).Message)
		})
	}
}

// A request id is kept in logs and state, so it has one of the forms that such ids
// have and nothing of the key or of the URL in it. Whatever else a server puts there is
// dropped.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	const key = "sk-admin-abcdef0123456789abcdef0123456789"
	const sig = "f00dfeedf00dfeedf00dfeedf00dfeed"
	get := func(id string) string {
		request, err := http.NewRequest(http.MethodGet, "https://blob.example.com/x?sig="+sig, http.NoBody)
		require.NoError(t, err)
		request.Header.Set("Authorization", "Bearer "+key)
		return requestID(&http.Response{Header: http.Header{"X-Request-Id": {id}}, Request: request})
	}
	for _, id := range []string{
		"req_1", "req_011CSHoEeqs5C35K2UUqR7Fy", "req-987654", "0f8fad5b-d9cb-469f-a165-70867728950e", "d41d8cd98f00b204e9800998ecf8427e",
	} {
		assert.Equal(t, id, get(id))
	}
	for _, id := range []string{
		"", key, "Bearer " + key, "req_" + key, "abcdef0123456789abcdef0123456789", "req_xabcdef012x", "req_XABCDEF012X",
		sig, strings.ToUpper(sig), "req_" + sig, "req_xF00DFEEDx", "sig=" + sig, "blob.example.com", "req_", "req_" + strings.Repeat("r", 37),
		"req_1 ", "req_1\nFAKE", "req_1\x1b[31m", "req_é", "1", strings.Repeat("a", 64), "d41d8cd98f00b204e9800998ecf8427", "{}", "a b",
	} {
		assert.Empty(t, get(id), id)
	}
	assert.Empty(t, listError(t, 400, "", "X-Request-Id", testKey).RequestID)
	c, _ := newStorage(t, answering(404, "", "X-Request-Id", signature))
	_, err := c.Download(t.Context(), fileOf(content))
	assert.Empty(t, requireErrorAs[*StatusError](t, err).RequestID)
}

// rotating yields another key for every request, as a file does that is swapped
// between a request and its answer.
type rotating struct{ n atomic.Int64 }

func (r *rotating) Key() (string, error) { return fmt.Sprintf("%s-%d", canary, r.n.Add(1)), nil }
func (*rotating) Refresh()               {}

// The key that is scrubbed is the one that was sent, even if the source has
// another one by the time of the answer.
func TestTheKeyThatWasSentIsScrubbed(t *testing.T) {
	t.Parallel()
	api := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprintf(w, `{"detail":"Incorrect key: %s"}`, r.Header.Get("Authorization"))
	})
	c := newClient(t, api.URL, func(s *Settings) { s.Key = &rotating{} })
	_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	requireKind[*StatusError](t, err)
	_, err = c.Download(t.Context(), fileOf(content))
	requireKind[*StatusError](t, err)
}

// Retry-After is seconds or a date, the latter measured against the server's own
// Date; what is neither, or in the past, counts as absent.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const date = "Sat, 01 Aug 2026 12:00:00 GMT"
	const century = 100 * 365 * 24 * time.Hour
	tests := map[string]struct {
		header string
		want   time.Duration
	}{
		"absent":                     {"", 0},
		"seconds":                    {"120", 2 * time.Minute},
		"zero":                       {"0", 0},
		"blanks around it":           {" 7 ", 7 * time.Second},
		"a date":                     {"Sat, 01 Aug 2026 12:01:30 GMT", 90 * time.Second},
		"a date in another form":     {"Saturday, 01-Aug-26 12:01:30 GMT", 90 * time.Second},
		"a date that has passed":     {"Sat, 01 Aug 2026 11:59:00 GMT", 0},
		"negative":                   {"-5", 0},
		"a sign":                     {"+5", 0},
		"a fraction":                 {"1.5", 0},
		"a power":                    {"1e3", 0},
		"garbage":                    {"soon", 0},
		"two values":                 {"5, 6", 0},
		"ten years":                  {"315360000", 10 * 365 * 24 * time.Hour},
		"almost 300 years":           {"9000000000", century},
		"absurd":                     {"9999999999999", century},
		"beyond any integer":         {strings.Repeat("9", 400), century},
		"a date in the year 9999":    {"Fri, 31 Dec 9999 23:59:59 GMT", 1<<63 - 1},
		"a date before year 1 or so": {"Sat, 01 Jan 0001 00:00:00 GMT", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, listError(t, 429, "", "Retry-After", tt.header, "Date", date).RetryAfter)
		})
	}
}

// A pause is asked for by 429 and 503. With any other status it would be everybody's
// for the sake of one file.
func TestRetryAfterOfOtherStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]time.Duration{
		429: 24 * time.Hour, 503: 24 * time.Hour, 301: 0, 307: 0, 401: 0, 403: 0, 404: 0, 408: 0, 410: 0, 500: 0, 502: 0, 504: 0,
	} {
		assert.Equal(t, want, listError(t, status, "", "Retry-After", "86400").RetryAfter, status)
	}
}

// Without a Date of the server, the local clock has to do.
func TestRetryAfterWithoutDate(t *testing.T) {
	t.Parallel()
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	got := retryAfter(http.Header{"Retry-After": {at}})
	assert.Positive(t, got)
	assert.LessOrEqual(t, got, time.Hour)
}

// saying is a transport that always fails.
type saying struct{ err error }

func (s saying) RoundTrip(*http.Request) (*http.Response, error) { return nil, s.err }

// Errors of transports quote URLs and whatever a middleware puts in. Nothing of it is
// kept but the kind, and the host that was asked.
func TestTransportErrors(t *testing.T) {
	t.Parallel()
	leak := "no way to https://x.example/a?sig=" + signature + " with " + testKey
	causes := map[string]error{
		"plain":    errors.New(leak),
		"wrapped":  fmt.Errorf("middleware: %w", errors.New(leak)),
		"with URL": &url.Error{Op: "Get", URL: leak, Err: errors.New(leak)},
		"nested":   fmt.Errorf("a: %w", &url.Error{Op: "Get", URL: leak, Err: &url.Error{Op: "Get", URL: leak, Err: errors.New("no route")}}),
	}
	for name, cause := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, nowhere, func(s *Settings) { s.API, s.Signed = &http.Client{Transport: saying{cause}}, saying{cause} })
			_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			assert.Equal(t, OperationList, requireErrorAs[*RequestError](t, err).Op)
			assert.Contains(t, err.Error(), "list: other: transport error (*")
			assert.Contains(t, err.Error(), "(host 127.0.0.1)")
			assert.Equal(t, FailureOther, requireErrorAs[*TransportError](t, err).Kind)

			_, err = c.Download(t.Context(), fileOf(content))
			assert.Equal(t, OperationDownload, requireErrorAs[*RequestError](t, err).Op)

			c.API = newClient(t, newRedirector(t, 307, "/?sig="+signature).URL).API
			c.base = newRedirector(t, 307, "/?sig="+signature).URL
			_, err = c.Download(t.Context(), fileOf(content))
			assert.Equal(t, OperationFetch, requireErrorAs[*RequestError](t, err, "x.example").Op)
			assert.Contains(t, err.Error(), "transport error (*")
		})
	}
}

// Of the usual failures the reason is told, without the URL.
func TestUsualFailuresAreNamed(t *testing.T) {
	t.Parallel()
	untrusted := newTLSServer(t, false, http.NotFound)
	resets := newHost(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, tt := range map[string]struct{ url, want string }{
		"refused":   {nowhere, "connection refused"},
		"untrusted": {untrusted.URL, "certificate signed by unknown authority"},
		"reset":     {resets.URL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, tt.url).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			requireKind[*RequestError](t, err)
			require.ErrorContains(t, err, tt.want)

			api := newRedirector(t, 307, tt.url+"/blob?sig="+signature)
			var seen []observation
			_, err = newClient(t, api.URL, observeInto(&seen)).Download(t.Context(), fileOf(content))
			requireKind[*RequestError](t, err)
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, observation{OperationFetch, 0, true}, seen[len(seen)-1])
		})
	}
}

// A certificate that does not convince is named with its reason.
func TestCertificateFailuresAreNamed(t *testing.T) {
	t.Parallel()
	server := newTLSServer(t, false, http.NotFound)
	trusted := server.Client().Transport.(*http.Transport).TLSClientConfig
	for want, change := range map[string]func(*tls.Config){
		"certificate signed by unknown authority": func(c *tls.Config) { c.RootCAs = nil },
		"certificate is for another host":         func(c *tls.Config) { c.ServerName = "wrong.invalid" },
		"certificate has expired":                 func(c *tls.Config) { c.Time = func() time.Time { return noon.AddDate(500, 0, 0) } },
	} {
		c := newClient(t, server.URL, func(s *Settings) {
			config := trusted.Clone()
			change(config)
			s.API.Transport.(*http.Transport).TLSClientConfig = config
		})
		_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		requireKind[*RequestError](t, err)
		require.ErrorContains(t, err, want)
	}
}

// raw is a server that answers every connection with the same bytes.
func raw(t *testing.T, answer string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = conn.Write([]byte(answer))
				_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)) // a client that keeps the connection
				_, _ = conn.Read(make([]byte, 1))
				_ = conn.Close()
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// An answer that is not HTTP, and echoes the key or a signed URL, is an error of its
// kind: nothing of it is shown.
func TestMalformedAnswersAreNotQuoted(t *testing.T) {
	t.Parallel()
	secrets := testKey + " https://blob.example.com/x?sig=" + signature
	for name, answer := range map[string]string{
		"a Location with a control character": "HTTP/1.1 302 Found\r\nLocation: https://blob.example.com/x?sig=" + signature + "\x01" + testKey + "\r\n\r\n",
		"a Location over two lines":           "HTTP/1.1 302 Found\r\nLocation: https://blob.example.com/\r\n" + secrets + "\r\n\r\n",
		"no status line":                      secrets + "\r\n\r\n",
		"no status":                           "HTTP/1.1 " + secrets + "\r\n\r\n",
		"another protocol":                    "HTTP/7.3 200 " + secrets + "\r\n\r\n",
		"no header":                           "HTTP/1.1 200 OK\r\n" + secrets + "\r\n\r\n",
		"a length that is none":               "HTTP/1.1 200 OK\r\nContent-Length: " + secrets + "\r\n\r\n",
		"another encoding of the transfer":    "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secrets + "\r\n\r\n",
		"a chunk that is none":                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secrets + "\r\n",
		"nothing":                             "",
		"TLS":                                 "\x15\x03\x01\x00\x02\x02\x28" + secrets,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := raw(t, answer)
			_, err := newClient(t, url).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
			requireSafe(t, err)
			_, err = newClient(t, url).Download(t.Context(), fileOf(content))
			requireSafe(t, err)
			_, err = newClient(t, newRedirector(t, 302, url).URL).Download(t.Context(), fileOf(content))
			requireSafe(t, err)
		})
	}
}

// What a server sends after the end of an answer is not shown either: net/http would
// write it to the process's log when the connection is kept.
func TestStrayBytesAreNotLogged(t *testing.T) {
	var out bytes.Buffer
	log.SetOutput(&out)
	defer log.SetOutput(os.Stderr)
	answer := func(status, header string, body []byte) string {
		return raw(t, fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s%s", status, len(body), header, body, canary+testKey))
	}
	_, err := newClient(t, answer("200 OK", "", []byte(goodAnswer))).Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
	require.NoError(t, err)
	storage := answer("200 OK", "", content)
	_, err = newClient(t, answer("302 Found", "Location: "+storage+"\r\n", nil)).Download(t.Context(), fileOf(content))
	require.NoError(t, err)
	_, err = newClient(t, answer("200 OK", "", content)).Download(t.Context(), fileOf(content))
	require.NoError(t, err)
	time.Sleep(100 * time.Millisecond) // a kept connection is read at once
	assert.Empty(t, out.String())
}

// inventing is a middleware that answers by itself, with nothing but the fields
// that a RoundTripper must set.
type inventing struct{}

func (inventing) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusUnauthorized, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"detail":"no"}`))}, nil
}

// Such an answer is read like any other.
func TestAnswerOfAMiddleware(t *testing.T) {
	t.Parallel()
	c := newClient(t, nowhere, func(s *Settings) { s.API, s.Signed = &http.Client{Transport: inventing{}}, inventing{} })
	require.NotPanics(t, func() {
		_, err := c.Pages("AUTH_LOG", noon, time.Time{}, nil).Next(t.Context())
		assert.Equal(t, StatusError{Op: OperationList, Status: 401, Message: "no", Key: KeyAdmin}, *requireErrorAs[*StatusError](t, err))
		_, err = c.Download(t.Context(), fileOf(content))
		assert.Equal(t, StatusError{Op: OperationDownload, Status: 401, Message: "no", Key: KeyAdmin}, *requireErrorAs[*StatusError](t, err))
	})
}
