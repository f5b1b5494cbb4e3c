// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package secret keeps secrets out of the texts that are shown: errors, logs and the
// output of tools. A secret in the wrong place is a typing error, and a message about
// it must not spread it.
package secret

import (
	"errors"
	"io"
	"regexp"
	"slices"
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
	regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://[^"'\n]*@`), // user information, up to the last @
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
// a key or of a URL with a password, or a long word that mixes letters and digits. It
// would rather hide a harmless value than show a secret.
func Looks(text string) bool { return Conceal(text) != text }

// Conceal replaces what may be a secret within a text.
func Conceal(text string) string {
	text = keyLike.ReplaceAllString(text, "${1}"+hidden)
	for _, form := range secretForms {
		text = form.ReplaceAllString(text, hidden)
	}
	return longWord.ReplaceAllStringFunc(text, func(word string) string {
		if !knownWord.MatchString(word) && slices.ContainsFunc(strings.FieldsFunc(word, isSeparator), isMixed) {
			return hidden
		}
		return word
	})
}

func isSeparator(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }

// isMixed reports whether a part of a long word changes between letters and digits
// more than once, as random characters do and the names of things do not.
func isMixed(part string) bool {
	changes := 0
	for i := 1; i < len(part); i++ {
		if unicode.IsDigit(rune(part[i])) != unicode.IsDigit(rune(part[i-1])) {
			changes++
		}
	}
	return len(part) >= 8 && changes > 1
}

// minKnown is the least length of a known secret, in bytes, that is looked for: a
// shorter one may be part of any text.
const minKnown = 8

// ConcealError returns an error without what may be a secret in its text, and without
// the known ones. An error that has none is returned as it is.
func ConcealError(err error, known ...string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	concealed := text
	for _, secret := range known {
		if len(secret) >= minKnown {
			concealed = strings.ReplaceAll(concealed, secret, hidden)
		}
	}
	if concealed = Conceal(concealed); concealed != text {
		return errors.New(concealed)
	}
	return err
}

// NewWriter returns a writer that conceals what may be a secret in each text that is
// written at once.
func NewWriter(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

func (w writer) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.w, Conceal(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
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
