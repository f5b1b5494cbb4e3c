// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fakeapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

func (a *API) serveDownload(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("file")
	a.mu.Lock()
	a.recordLocked("api", r)
	file, p := a.fileLocked(r, id)
	eventType := ""
	if file != nil {
		eventType = file.EventType
	}
	fault := a.faultLocked("download", eventType, id)
	location := a.signedURLLocked(id)
	direct := a.opts.Direct
	a.mu.Unlock()
	var body []byte
	if direct && p == nil {
		body = file.Content
	}
	if fault != nil && fault.apply(w, r, body) {
		return
	}
	switch {
	case p != nil:
		p.write(w)
	case direct:
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = w.Write(file.Content)
	default:
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func (a *API) fileLocked(r *http.Request, id string) (*File, *problem) {
	if p := a.admitLocked(r, "download", a.opts.DownloadsPerMinute); p != nil {
		return nil, p
	}
	file := a.byID[id]
	if file == nil || !file.servedAt(a.opts.Now()) {
		return nil, refuse(http.StatusNotFound, "Log file not found")
	}
	if p := a.checkTypes([]string{file.EventType}, r.PathValue("scope")); p != nil {
		return nil, p
	}
	return file, nil
}

// signedURLLocked is valid for URLLife from now.
func (a *API) signedURLLocked(id string) string {
	expires := strconv.FormatInt(a.opts.Now().Add(a.opts.URLLife).UnixMilli(), 10)
	return fmt.Sprintf("%s/blob/%s?se=%s&sig=%s", a.opts.StorageURL, url.PathEscape(id), expires, a.signature(id, expires))
}

func (a *API) signature(id, expires string) string {
	mac := hmac.New(sha256.New, []byte(a.opts.Key))
	fmt.Fprintf(mac, "%s\n%s", id, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

// StorageHandler is the host behind the signed URLs. Like many blob stores it
// refuses a request that brings a second kind of credentials.
func (a *API) StorageHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /blob/{file}", a.serveBlob)
	return mux
}

func (a *API) serveBlob(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("file")
	a.mu.Lock()
	a.recordLocked("storage", r)
	file := a.byID[id]
	var fault *Fault
	if file != nil {
		fault = a.faultLocked("fetch", file.EventType, id)
	}
	a.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
		http.Error(w, "InvalidAuthenticationInfo", http.StatusBadRequest)
	case file == nil || !a.validSignature(r.URL.Query(), id):
		http.Error(w, "AuthenticationFailed: sig="+r.URL.Query().Get("sig"), http.StatusForbidden)
	case fault != nil && fault.apply(w, r, file.Content):
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(file.Size, 10))
		_, _ = w.Write(file.Content)
	}
}

func (a *API) validSignature(query url.Values, id string) bool {
	expires := query.Get("se")
	if !hmac.Equal([]byte(query.Get("sig")), []byte(a.signature(id, expires))) {
		return false
	}
	ms, err := strconv.ParseInt(expires, 10, 64)
	return err == nil && a.opts.Now().Before(time.UnixMilli(ms))
}
