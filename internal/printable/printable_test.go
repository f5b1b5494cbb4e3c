// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package printable

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hostile is what a terminal obeys, and what reorders or hides text; plain is what is
// left as it is.
const (
	hostile = "\x1b[2K\r\n\x00\x7f\u009b\u202e\u2066\u200f\u061c\u2028\u2029\ufeff\U000e0041"
	plain   = `é 漢 👩‍👩‍👧 \u001b "quoted"`
)

// What misleads is replaced, in texts and in lines, and nothing else is.
func TestText(t *testing.T) {
	assert.Equal(t, plain, Text(plain))
	assert.Equal(t, plain+"\t", string(Bytes([]byte(plain+"\t"))))
	for _, r := range Text(hostile) {
		assert.False(t, misleads(r), "%U", r)
	}
	assert.Equal(t, "a\ufffdb\ufffdc", Text("a\nb\tc"))
	assert.Equal(t, "a\nb\tc\ufffd", string(Bytes([]byte("a\nb\tc\xff"))))
}

// A document keeps its meaning, byte by byte of every text, and shows nothing that
// misleads.
func TestJSON(t *testing.T) {
	raw, err := json.MarshalIndent(map[string]string{hostile: plain + hostile}, "", "\t")
	require.NoError(t, err)
	safe := JSON(raw)
	var back map[string]string
	require.NoError(t, json.Unmarshal(safe, &back))
	assert.Equal(t, map[string]string{hostile: plain + hostile}, back)
	assert.Equal(t, string(safe), string(Bytes(safe)))
	assert.Equal(t, plain, string(JSON([]byte(plain))))
}

// Cut anywhere, a text is written as it would be in one piece.
func TestWriter(t *testing.T) {
	text := []byte(plain + hostile + "\xff" + plain + "\n")
	for cut := range text {
		var out bytes.Buffer
		w := &Writer{Out: &out}
		for _, part := range [][]byte{text[:cut], text[cut:]} {
			n, err := w.Write(part)
			require.NoError(t, err)
			require.Equal(t, len(part), n)
		}
		require.Equal(t, string(Bytes(text)), out.String(), cut)
	}
}
