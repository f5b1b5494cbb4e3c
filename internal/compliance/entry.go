// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package compliance

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/openaicompliance/openaicompliancereceiver/internal/canonical"
)

// Bounds of what a listing names, in bytes.
const (
	maxID   = 512
	maxName = 512
)

// File is one file of a listing.
type File struct {
	// ID is opaque, at most 512 bytes.
	ID string
	// EndTime is when the file was written, UTC, in whole microseconds; it is what
	// the listing is ordered and filtered by. Zero when the listing holds no
	// readable time.
	EndTime time.Time
	// Name as listed, cut to 512 bytes. It is not safe as a name on disk.
	Name string
	// Size in bytes of the whole content; -1 when unknown.
	Size int64
	// SHA256 of the whole content, lower-case hex; empty when unknown.
	SHA256 string
}

// Entry is one entry of a listing, odd ones included: one odd entry never spoils
// its page.
type Entry struct {
	File
	// Fault is empty for an entry that can be downloaded as listed; else a field and
	// its problem. It is a constant text that holds no value of the entry.
	Fault string
	// Digest is the hex SHA-256 of the entry's canonical JSON (RFC 8785); set only
	// when the entry has no usable id, to tell it from others.
	Digest string
	// OtherType is set when event_type names another type than the one asked for.
	OtherType bool
}

// wireEntry holds the members of an entry as they came: nil when absent, else a
// JSON value of any type.
type wireEntry struct {
	ID        json.RawMessage `json:"id"`
	EventType json.RawMessage `json:"event_type"`
	EndTime   json.RawMessage `json:"end_time"`
	FileName  json.RawMessage `json:"file_name"`
	FileSize  json.RawMessage `json:"file_size"`
	SHA256    json.RawMessage `json:"file_sha256"`
}

// parseEntry reads one element of data, whatever it is.
func parseEntry(raw json.RawMessage, eventType string) Entry {
	var wire wireEntry
	if raw[0] != '{' || json.Unmarshal(raw, &wire) != nil {
		return Entry{File: File{Size: -1}, Fault: "entry is not an object", Digest: entryDigest(raw)}
	}
	var entry Entry
	var idFault, sizeFault string
	entry.ID, idFault = parseID(wire.ID)
	if idFault != "" {
		entry.Digest = entryDigest(raw)
	}
	entry.Size, sizeFault = parseSize(wire.FileSize)
	entry.Fault = cmp.Or(idFault, sizeFault)
	if text, ok := jsonText(wire.EndTime); ok {
		entry.EndTime, _ = parseTime(text)
	}
	name, _ := jsonText(wire.FileName)
	entry.Name = cutText(name, maxName)
	digest, _ := jsonText(wire.SHA256)
	entry.SHA256 = parseDigest(digest)
	entry.OtherType = namesOtherType(wire.EventType, eventType)
	return entry
}

func entryDigest(raw json.RawMessage) string {
	sum := sha256.Sum256(canonical.JSON(raw))
	return hex.EncodeToString(sum[:])
}

// isNull reports whether a member is absent or null.
func isNull(raw json.RawMessage) bool { return len(raw) == 0 || raw[0] == 'n' }

// jsonText returns a JSON string's value; false for anything else.
func jsonText(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var text string
	err := json.Unmarshal(raw, &text)
	return text, err == nil
}

// isNumber reports whether a valid JSON value is a number.
func isNumber(raw json.RawMessage) bool {
	return len(raw) > 0 && (raw[0] == '-' || (raw[0] >= '0' && raw[0] <= '9'))
}

// parseID returns a usable id, or what is wrong with it. A number is its own
// literal. Text with what JSON reads as U+FFFD is no id: others read alike.
func parseID(raw json.RawMessage) (id, fault string) {
	if isNumber(raw) {
		id = string(raw)
	} else if text, ok := jsonText(raw); ok {
		id = text
	} else if isNull(raw) {
		return "", "id is missing"
	} else {
		return "", "id is neither text nor a number"
	}
	switch {
	case id == "":
		return "", "id is empty"
	case len(id) > maxID:
		return "", "id is longer than 512 bytes"
	case strings.ContainsRune(id, utf8.RuneError):
		return "", "id is not valid Unicode"
	}
	return id, ""
}

// maxExact is how large a whole number may be that is written with a fraction or an
// exponent: all below are exact as float64.
const maxExact = 1 << 53

// parseSize reads a number of bytes, written as a JSON number or as text. It
// returns -1 and what is wrong if there is none.
func parseSize(raw json.RawMessage) (size int64, fault string) {
	literal := string(raw)
	if text, ok := jsonText(raw); ok {
		literal = strings.TrimSpace(text)
	} else if isNull(raw) {
		return -1, "file_size is missing"
	}
	if strings.Trim(literal, "0123456789.eE+-") != "" {
		return -1, "file_size is not a number of bytes" // keeps out hex, infinities and other things that ParseFloat reads
	}
	if n, err := strconv.ParseInt(literal, 10, 64); err == nil {
		if n < 0 {
			return -1, "file_size is negative"
		}
		return n, ""
	}
	f, err := strconv.ParseFloat(literal, 64)
	switch {
	case err != nil:
		return -1, "file_size is not a number of bytes"
	case f < 0:
		return -1, "file_size is negative"
	case f > maxExact || f != float64(int64(f)):
		return -1, "file_size is not a number of bytes"
	}
	return int64(f), ""
}

// parseDigest reads a SHA-256 as lower-case hex. It takes hex in either case and
// the forms of base64, with or without the algorithm's name before it; for anything
// else it returns "", since the file can still be fetched and judged.
func parseDigest(text string) string {
	text = strings.TrimSpace(text)
	for _, prefix := range []string{"sha256", "sha-256"} {
		rest, named := cutPrefixFold(text, prefix)
		if named && rest != "" && strings.ContainsRune(":=-", rune(rest[0])) {
			text = strings.TrimSpace(rest[1:])
			break
		}
	}
	sum, err := hex.DecodeString(text)
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if err == nil && len(sum) == sha256.Size {
			break
		}
		sum, err = encoding.DecodeString(text)
	}
	if err != nil || len(sum) != sha256.Size {
		return ""
	}
	return hex.EncodeToString(sum)
}

func cutPrefixFold(text, prefix string) (rest string, found bool) {
	if len(text) < len(prefix) || !strings.EqualFold(text[:len(prefix)], prefix) {
		return text, false
	}
	return text[len(prefix):], true
}

// namesOtherType compares without case. An entry that names no type is of the one
// asked for.
func namesOtherType(raw json.RawMessage, eventType string) bool {
	if isNull(raw) {
		return false
	}
	text, ok := jsonText(raw)
	text = strings.TrimSpace(text)
	return !ok || (text != "" && !strings.EqualFold(text, eventType))
}

// cutText cuts a text at a rune's beginning and lets go of the rest.
func cutText(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return strings.Clone(text[:limit])
}

// The layouts that parseTime tries, once T and Z are in upper case. Go reads a
// fraction of a second where a layout has none.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
}

var upperTZ = strings.NewReplacer("t", "T", "z", "Z")

const (
	lenDate   = len("2006-01-02")
	lenMinute = len("2006-01-02T15:04:")
	lenSecond = len("2006-01-02T15:04:05")
)

// parseTime reads RFC 3339 and what is like it: an offset without colon, a blank in
// place of T or before the offset, lower-case t and z, and a leap second, which
// counts as the next second. The time is UTC, cut to whole microseconds; false if
// there is none that can be written in UTC with a year of four digits.
func parseTime(text string) (time.Time, bool) {
	text = strings.TrimSpace(text)
	if len(text) <= lenSecond || len(text) > 64 {
		return time.Time{}, false
	}
	if strings.ContainsRune("Tt ", rune(text[lenDate])) {
		text = text[:lenDate] + "T" + text[lenDate+1:]
	}
	text = upperTZ.Replace(strings.Replace(text, " ", "", 1))
	var leap time.Duration
	if text[lenMinute:lenSecond] == "60" {
		text, leap = text[:lenMinute]+"59"+text[lenSecond:], time.Second
	}
	for _, layout := range timeLayouts {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at = at.Add(leap).UTC().Truncate(time.Microsecond)
		encodable := at.Year() >= 0 && at.Year() <= 9999 && !at.IsZero()
		if !encodable {
			return time.Time{}, false
		}
		return at, true
	}
	return time.Time{}, false
}
