// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"reflect"
	"strings"
	"syscall"
)

// FailureKind is where on its way a request failed.
type FailureKind string

// The kinds.
const (
	FailureDNS      FailureKind = "dns"
	FailureConnect  FailureKind = "connect"
	FailureProxy    FailureKind = "proxy"
	FailureTLS      FailureKind = "tls"
	FailureTimeout  FailureKind = "timeout"
	FailureClosed   FailureKind = "closed" // the connection broke off
	FailureProtocol FailureKind = "protocol"
	FailureOther    FailureKind = "other"
)

// TransportError is why a request had no answer, or a body broke off. The errors of
// transports and middlewares quote URLs, headers and bodies; this one holds nothing
// but constants of this package, of crypto/tls and of the operating system.
type TransportError struct {
	Kind   FailureKind
	Reason string // may be empty
	cause  error  // a sentinel, for errors.Is; may be nil
}

func (e *TransportError) Error() string {
	if e.Reason == "" {
		return string(e.Kind)
	}
	return string(e.Kind) + ": " + e.Reason
}

func (e *TransportError) Unwrap() error { return e.cause }

var (
	errTimeout  = &TransportError{Kind: FailureTimeout, Reason: "timed out"}
	errBrokeOff = &TransportError{Kind: FailureClosed, Reason: "the connection broke off", cause: io.ErrUnexpectedEOF}

	errNoAddressAnswers = errors.New("no address of the host that may be dialed answers")
)

// transportCause says why a request had no answer, or a body broke off.
func transportCause(err error) error {
	var (
		refused   *RedirectError
		proxy     *ProxyError
		failure   *TransportError
		dns       *net.DNSError
		op        *net.OpError
		timeout   net.Error
		malformed textproto.ProtocolError
	)
	fail := func(kind FailureKind, reason string) error { return &TransportError{Kind: kind, Reason: reason} }
	isTimeout := errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &proxy):
		return proxy
	case errors.As(err, &failure):
		return failure
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return fail(FailureProxy, reasonOf(op.Err))
	case errors.As(err, &dns):
		return fail(FailureDNS, dnsReason(dns))
	case isTimeout:
		return errTimeout
	case tlsReason(err) != "":
		return fail(FailureTLS, tlsReason(err))
	case op != nil && op.Op == "dial":
		return fail(FailureConnect, reasonOf(op.Err))
	case op != nil:
		return fail(FailureClosed, reasonOf(op.Err))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errBrokeOff
	case errors.As(err, &malformed), strings.HasPrefix(err.Error(), "malformed "), strings.HasPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: malformed "):
		return fail(FailureProtocol, "the answer is not HTTP")
	}
	return fail(FailureOther, fmt.Sprintf("transport error (%T)", err))
}

// reasonOf is the operating system's word for an error, or a constant for its kind.
func reasonOf(err error) string {
	var (
		errno   syscall.Errno
		dns     *net.DNSError
		timeout net.Error
	)
	switch {
	case errors.Is(err, errNoAddressAnswers):
		return errNoAddressAnswers.Error()
	case errors.As(err, &dns):
		return dnsReason(dns)
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &timeout) && timeout.Timeout():
		return errTimeout.Reason
	case tlsReason(err) != "":
		return tlsReason(err)
	}
	return "failed"
}

func dnsReason(dns *net.DNSError) string {
	switch {
	case dns.IsNotFound:
		return "no such host"
	case dns.IsTimeout:
		return errTimeout.Reason
	}
	return "the lookup failed"
}

// tlsReason says why a TLS handshake failed, "" for another error.
func tlsReason(err error) string {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		op        *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		return "certificate signed by unknown authority"
	case errors.As(err, &hostname):
		return "certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "certificate has expired or is not yet valid"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "certificate is not valid"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	// An alert of the other side is a number, and its text one of crypto/tls.
	case errors.As(err, &op) && op.Op == "remote error" && reflect.ValueOf(op.Err).Kind() == reflect.Uint8:
		return strings.TrimPrefix(op.Err.Error(), "tls: ")
	case strings.HasPrefix(err.Error(), "tls: "), strings.HasPrefix(err.Error(), "x509: "):
		return "the handshake failed"
	}
	return ""
}
