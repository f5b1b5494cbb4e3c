// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package secret keeps secrets out of the texts that are shown: errors, logs and the
// output of tools. A secret in the wrong place is a typing error, and a message about
// it must not spread it.
package secret

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hidden stands in a text for what may be a secret.
const hidden = "[not shown]"

// keyLike is an API key: it needs no digit to be known.
var keyLike = regexp.MustCompile(`(?i)(^|[^a-z0-9])(sk-[a-z0-9_.*-]{6,})`)

// Forms of secrets within a text, beside those that are only known by their length.
var secretForms = []*regexp.Regexp{
	regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^\s/"'@]*@`), // user information
	regexp.MustCompile(`(?i)\bBearer\s+[^\s"']+`),
	regexp.MustCompile(`\?[^\s"'<>]*=[^\s"'<>]*`), // a query may hold a signature
}

// longWord is a run of characters as keys, passwords and signatures have them.
var longWord = regexp.MustCompile(`[A-Za-z0-9_+=-]{20,}`)

// knownWord is a long word that is no secret: a UUID, an organization's id.
var knownWord = regexp.MustCompile(`^([0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}|org-[A-Za-z0-9_-]+)$`)

// LooksLikeKey reports whether a text holds what looks like an API key.
func LooksLikeKey(text string) bool { return keyLike.MatchString(text) }

// Looks reports whether a text may be a secret or hold one: something of the form of
// a key or of a URL with a password, or a long word of letters and digits. It would
// rather hide a harmless value than show a secret.
func Looks(text string) bool { return Conceal(text) != text }

// Conceal replaces what may be a secret within a text.
func Conceal(text string) string {
	text = keyLike.ReplaceAllString(text, "${1}"+hidden)
	for _, form := range secretForms {
		text = form.ReplaceAllString(text, hidden)
	}
	return longWord.ReplaceAllStringFunc(text, func(word string) string {
		if knownWord.MatchString(word) || !strings.ContainsFunc(word, unicode.IsDigit) || !strings.ContainsFunc(word, unicode.IsLetter) {
			return word
		}
		return hidden
	})
}

// ConcealError returns an error without what may be a secret in its text. An error
// that has none is returned as it is.
func ConcealError(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if concealed := Conceal(text); concealed != text {
		return errors.New(concealed)
	}
	return err
}

// maxQuoted bounds a quoted value, in characters.
const maxQuoted = 100

// Quote quotes a value of the configuration for an error, unless it may be a secret.
func Quote(value string) string {
	if Looks(value) {
		return "the value (not shown, it may be a secret)"
	}
	if runes := []rune(value); len(runes) > maxQuoted {
		value = string(runes[:maxQuoted]) + "…"
	}
	return strconv.Quote(value)
}
