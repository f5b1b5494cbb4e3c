// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
)

// line of a file as the model knows it.
type line struct {
	number   int
	text, id string
	accepted int
	dropped  int  // refused for good, with on_permanent_error: drop
	aside    bool // refused for good, with on_permanent_error: quarantine
	// again is set when a crash fell between the acceptance of the line and the
	// commit of it: it may come once more.
	again bool
}

// variant is a file with the bytes it has, or with those a fault makes of them.
type variant struct {
	lines map[int]*line
	last  int // number of the last line
	at    int // line accepted last
}

// file of the model.
type file struct {
	*fakeapi.File
	variants map[string]*variant // by SHA-256
	odd      oddKind
	// hiddenUntil is when its entry ceases to hide it, zero where none does.
	hiddenUntil time.Time
	history     []string
}

// blank is a variant of the same lines of which none has come.
func (v *variant) blank() *variant {
	out := &variant{lines: map[int]*line{}, last: v.last}
	for number, l := range v.lines {
		out.lines[number] = &line{number: number, text: l.text, id: l.id}
	}
	return out
}

// expect adds a variant with these bytes.
func (f *file) expect(content []byte) *variant {
	v := &variant{lines: map[int]*line{}}
	for i, text := range strings.Split(string(content), "\n") {
		text = strings.TrimSuffix(text, "\r")
		if strings.Trim(text, " \t\r") == "" {
			continue
		}
		var record struct {
			ID string `json:"event_id"`
		}
		if json.Unmarshal([]byte(text), &record) != nil {
			record.ID = ""
		}
		v.lines[i+1] = &line{number: i + 1, text: text, id: record.ID}
		v.last = i + 1
	}
	sum := sha256.Sum256(content)
	f.variants[hex.EncodeToString(sum[:])] = v
	return v
}
