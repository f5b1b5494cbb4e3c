// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/go-faster/jx"
)

// benchTypes are a small, a middling and a large kind of record.
var benchTypes = []string{"AUTH_LOG", "CODEX_LOG", "CONVERSATION_MESSAGE"}

// benchLines runs fn over the sample lines of a type; one op is all of them.
func benchLines(b *testing.B, eventType string, fn func(lines []Line)) {
	b.Helper()
	var (
		lines []Line
		size  int64
	)
	for i, text := range samples(b)[eventType] {
		lines = append(lines, Line{Number: i + 1, Text: text})
		size += int64(len(text))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		fn(lines)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/record")
}

// BenchmarkMap maps under each of the variants: raw, parsed, raw with digests in
// the place of content, parsed with content dropped.
func BenchmarkMap(b *testing.B) {
	for _, name := range []string{"raw", "parsed", "hmac", "drop"} {
		for _, eventType := range benchTypes {
			b.Run(name+"/"+eventType, func(b *testing.B) {
				mapper := NewMapper(variant(name, eventType))
				benchLines(b, eventType, func(lines []Line) { mapper.Map(testFile, lines, observed) })
			})
		}
	}
}

// BenchmarkScan digests lines and reads their tokens, which is what no receiver
// can do without.
func BenchmarkScan(b *testing.B) {
	for _, eventType := range benchTypes {
		b.Run(eventType, func(b *testing.B) {
			dec := jx.DecodeBytes(nil)
			benchLines(b, eventType, func(lines []Line) {
				for _, line := range lines {
					_ = sha256.Sum256(line.Text)
					dec.ResetBytes(line.Text)
					if err := dec.Skip(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkEnvelopeJX reads what the mapping needs with the walk of this package.
func BenchmarkEnvelopeJX(b *testing.B) {
	for _, eventType := range benchTypes {
		b.Run(eventType, func(b *testing.B) {
			mapper := NewMapper(sourceOf(eventType))
			benchLines(b, eventType, func(lines []Line) {
				for _, line := range lines {
					if !walk(mapper.root, string(line.Text), mapper.slots) {
						b.Fatal("malformed")
					}
				}
			})
		})
	}
}

// BenchmarkEnvelopeEncodingJSON reads the same fields with the standard library.
func BenchmarkEnvelopeEncodingJSON(b *testing.B) {
	structs := map[string]func() any{
		"AUTH_LOG":             func() any { return new(authFields) },
		"CODEX_LOG":            func() any { return new(codexFields) },
		"CONVERSATION_MESSAGE": func() any { return new(messageFields) },
	}
	for _, eventType := range benchTypes {
		b.Run(eventType, func(b *testing.B) {
			benchLines(b, eventType, func(lines []Line) {
				for _, line := range lines {
					if err := json.Unmarshal(line.Text, structs[eventType]()); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

type envelopeFields struct {
	EventID   string `json:"event_id"`
	Timestamp string `json:"timestamp"`
	Actor     struct {
		Type           string `json:"type"`
		ID             string `json:"id"`
		RedactedID     string `json:"redacted_id"`
		ProviderUserID string `json:"provider_user_id"`
		UserID         string `json:"user_id"`
		UserEmail      string `json:"user_email"`
	} `json:"actor"`
	RequestMetadata struct {
		ClientIP        string `json:"client_ip"`
		ClientUserAgent string `json:"client_user_agent"`
		ClientJA3       string `json:"client_ja3"`
		ClientIPDetails struct {
			Country string `json:"country"`
			City    string `json:"city"`
		} `json:"client_ip_details"`
	} `json:"request_metadata"`
}

type authFields struct {
	envelopeFields
	ActionData struct {
		Action string `json:"action"`
	} `json:"action_data"`
}

type codexFields struct {
	envelopeFields
	EventType    string `json:"event_type"`
	EventDetails struct {
		DetailType     string `json:"detail_type"`
		Status         string `json:"status"`
		SessionID      string `json:"session_id"`
		ConversationID string `json:"conversation_id"`
		Model          string `json:"model"`
		ToolName       string `json:"tool_name"`
		TokenUsage     struct {
			InputTokens  int64 `json:"input_tokens"`
			OutputTokens int64 `json:"output_tokens"`
		} `json:"token_usage"`
	} `json:"event_details"`
}

type messageFields struct {
	envelopeFields
	Message struct {
		Author struct {
			Type  string `json:"type"`
			Model string `json:"model"`
		} `json:"author"`
	} `json:"message"`
	Conversation struct {
		ID      string `json:"id"`
		GPTID   string `json:"gpt_id"`
		GPTName string `json:"gpt_name"`
	} `json:"conversation"`
}
