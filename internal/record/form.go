// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonscan"
)

// form says what the values of a field look like. It gives the field its one type in a
// parsed body, and says what of it stays where content is withheld.
type form uint8

const (
	formText       form = iota // any scalar: ids, addresses, names of things
	formToken                  // a value of an enumeration, a number, true or false
	formTime                   // a time, a date, or seconds since 1970
	formInteger                // also one written as a string
	formDecimal                // a number, kept digit by digit; also one written as a string
	formBoolean                // true or false
	formCoordinate             // degrees, of which a tenth stays
	formURL                    // of which scheme and host stay
	formTokens                 // any JSON all of whose keys and values are tokens
	formContent                // what people or models wrote, of any shape
	formOpen                   // content in which the members of the table stay
)

// How long a token and a URL may be, in bytes.
const (
	maxToken = 256
	maxURL   = 2048
)

// longest says how long a text of the form may be as it is written, in bytes.
func (f form) longest() int {
	switch f {
	case formToken:
		return maxToken
	case formURL:
		return maxURL
	case formTime:
		return maxTime
	default:
		return math.MaxInt
	}
}

// fits says whether a value, as written, is of the form, and so stays where content is
// withheld. Content never does, unless it is empty.
func (f form) fits(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	nested := raw[0] == '{' || raw[0] == '['
	switch {
	case f == formTokens:
		return tokensOnly(raw)
	case nested:
		return false
	case f == formText:
		return true
	case string(raw) == `""`:
		return f != formInteger && f != formBoolean
	case f == formContent || f == formOpen:
		return false
	case raw[0] != '"':
		return fitsScalar(f, raw, raw[0])
	case len(raw)-len(`""`) > f.longest():
		return false
	case bytes.IndexByte(raw, '\\') >= 0:
		return fitsScalar(f, jsonscan.Unquote(raw), '"')
	}
	return fitsScalar(f, raw[1:len(raw)-1], '"')
}

// fitsScalar is fits for the text of a scalar and the first byte that it was written with.
func fitsScalar[T chars](f form, of T, first byte) bool {
	switch f {
	case formText:
		return true
	case formToken, formTokens:
		return isToken(of)
	case formTime:
		return hasFormOfTime(of)
	case formInteger:
		return isInteger(of)
	case formDecimal:
		return isDecimal(of)
	case formBoolean:
		return first != '"' && (string(of) == "true" || string(of) == "false")
	case formCoordinate:
		return isCoordinate(of)
	case formURL:
		_, _, ok := cutURL(string(of))
		return ok
	case formContent, formOpen:
	}
	return false
}

// chars are a text, or a part of a line that is one.
type chars interface{ string | []byte }

var tokenBytes = bytesOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/+=~")

// isToken says whether a text looks like a value of an enumeration, an id or the cursor of
// a listing: no blank and nothing but ASCII.
func isToken[T chars](of T) bool {
	return len(of) > 0 && len(of) <= maxToken && holds(tokenBytes, of)
}

// maxTokens is how long a value that is all tokens may be, in bytes as written.
const maxTokens = 4096

// tokensOnly reads a JSON value, as written.
func tokensOnly(raw []byte) bool {
	if len(raw) > maxTokens {
		return false
	}
	scan := jsonscan.New(raw)
	ok := true
	eachText(&scan, func(text string) { ok = ok && (text == "" || isToken(text)) })
	return ok && scan.Done()
}

// eachText calls fn for each key and each scalar of a value but null, at any depth.
func eachText(scan *jsonscan.Scanner, fn func(text string)) { eachOf(scan, fn, fn) }

// eachValue calls fn for each scalar of a value but null, at any depth.
func eachValue(scan *jsonscan.Scanner, fn func(text string)) { eachOf(scan, func(string) {}, fn) }

func eachOf(scan *jsonscan.Scanner, key, value func(text string)) {
	switch scan.Peek() {
	case '{':
		for more := scan.BeginObject(); more; more = scan.NextMember() {
			key(string(scan.Key()))
			eachOf(scan, key, value)
		}
	case '[':
		for more := scan.BeginArray(); more; more = scan.NextElement() {
			eachOf(scan, key, value)
		}
	case 'n':
		scan.Literal()
	default:
		if text := scalarText(scan); !scan.Failed() {
			value(text)
		}
	}
}

// scalarText reads a string, a number, true or false.
func scalarText(scan *jsonscan.Scanner) string {
	switch scan.Peek() {
	case '"':
		return scan.Text()
	case 't', 'f':
		return scan.Literal()
	default:
		return scan.Number()
	}
}

var (
	digits       = bytesOf("0123456789")
	decimalBytes = bytesOf("0123456789+-.eE")
	hostBytes    = bytesOf("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")
)

// isInteger says whether a text is an integer that an attribute can hold.
func isInteger[T chars](of T) bool {
	if n := len(of); n > 0 && n <= 18 && holds(digits, of) {
		return true
	}
	_, err := strconv.ParseInt(string(of), 10, 64)
	return err == nil
}

// isDecimal says whether a text is a decimal number of at most 64 characters.
func isDecimal[T chars](of T) bool {
	if len(of) > 64 || !holds(decimalBytes, of) {
		return false
	}
	_, err := strconv.ParseFloat(string(of), 64)
	return err == nil
}

// isCoordinate says whether a text is degrees: at most three digits and a fraction.
func isCoordinate[T chars](of T) bool {
	if len(of) > 0 && of[0] == '-' {
		of = of[1:]
	}
	whole := 0
	for whole < len(of) && digits[of[whole]] {
		whole++
	}
	if whole == 0 || whole > 3 || len(of) > 24 {
		return false
	}
	return whole == len(of) || of[whole] == '.' && holds(digits, of[whole+1:])
}

// roundCoordinate leaves a tenth of a degree, about ten kilometers.
func roundCoordinate(text string) string {
	degrees, _ := strconv.ParseFloat(text, 64)                          // isCoordinate has tried
	return strconv.FormatFloat(math.Round(degrees*10)/10+0, 'f', 1, 64) // + 0: never -0.0
}

// cutURL cuts an http or https URL after its host. A URL with a user in it, or with
// another host than a plain name or address, is none.
func cutURL(text string) (origin, rest string, ok bool) {
	scheme, after, found := strings.Cut(text, "://")
	if !found || !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return "", "", false
	}
	host := after
	if end := strings.IndexAny(after, "/?#"); end >= 0 {
		host, rest = after[:end], after[end:]
	}
	if host == "" || len(host) > maxToken || !holds(hostBytes, host) {
		return "", "", false
	}
	return text[:len(text)-len(rest)], rest, true
}
