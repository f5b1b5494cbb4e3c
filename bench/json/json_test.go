// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package json compares JSON libraries on the work that each line needs: to know
// that it is one whole JSON object, and to read the fields of the mapping.
package json

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/bytedance/sonic"
	"github.com/go-faster/jx"
	"github.com/go-json-experiment/json/jsontext"
	goccy "github.com/goccy/go-json"
	"github.com/minio/simdjson-go"
	"github.com/tidwall/gjson"
	"github.com/valyala/fastjson"

	"github.com/openaicompliance/openaicompliancereceiver/internal/benchdata"
)

var types = []string{"AUTH_LOG", "CODEX_LOG", "CONVERSATION_MESSAGE"}

// fields are read from every line; those of the envelope, and one or two deeper.
var fields = []string{
	"event_id", "timestamp", "actor.type", "actor.user_id", "actor.user_email",
	"request_metadata.client_ip", "request_metadata.client_user_agent", "request_metadata.client_ja3",
	"request_metadata.client_ip_details.country", "request_metadata.client_ip_details.city",
	"action_data.action", "action_data.auth_provider_name",
	"event_type", "client_id", "event_details.detail_type", "event_details.model", "event_details.session_id",
	"message.id", "message.author.type", "message.author.model", "conversation.id", "conversation.gpt_id",
}

// readers read the fields of a line and say whether it is one JSON object.
var readers = map[string]func() func(line []byte, found []string) bool{
	"jx":            readJX,
	"encoding_json": func() func([]byte, []string) bool { return readStruct(json.Unmarshal) },
	"goccy":         func() func([]byte, []string) bool { return readStruct(goccy.Unmarshal) },
	"sonic":         func() func([]byte, []string) bool { return readStruct(sonic.ConfigStd.Unmarshal) },
	"fastjson":      readFastJSON,
	"gjson":         readGJSON,
	"jsontext":      readJSONText,
	"simdjson":      readSimdJSON,
}

func BenchmarkRead(b *testing.B) {
	for _, eventType := range types {
		t, err := benchdata.Load("../../testdata/records", eventType)
		if err != nil {
			b.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		lines, size := make([][]byte, 300), 0
		for i := range lines {
			lines[i] = t.Line(rng)
			size += len(lines[i])
		}
		for name, reader := range readers {
			b.Run(eventType+"/"+name, func(b *testing.B) {
				read, found := reader(), make([]string, len(fields))
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					for _, line := range lines {
						if !read(line, found) {
							b.Fatal("refused")
						}
					}
				}
			})
		}
	}
}

// TestReads holds every reader against the standard library: what is not JSON is
// refused, and the fields are the same. It tells the faults, it does not fail.
func TestReads(t *testing.T) {
	bad := map[string]string{
		"cut":                `{"event_id":"a"`,
		"behind":             `{"event_id":"a"} x`,
		"number":             `{"event_id":"a","n":01}`,
		"escape":             `{"event_id":"a","s":"\x"}`,
		"control":            "{\"event_id\":\"a\",\"s\":\"\x01\"}",
		"surrogate ok":       `{"event_id":"a","s":"\ud800"}`,
		"utf-8 in a value":   "{\"event_id\":\"a\",\"s\":\"\xff\"}",
		"array":              `["event_id"]`,
		"literal":            `{"event_id":"a","s":nul}`,
		"comma":              `{"event_id":"a",}`,
		"two":                `{"event_id":"a"}{"event_id":"b"}`,
		"escaped key is key": `{"event\u005fid":"a"}`,
	}
	for name, reader := range readers {
		read := reader()
		for what, line := range bad {
			found := make([]string, len(fields))
			ok := func() (ok bool) {
				defer func() {
					if r := recover(); r != nil {
						t.Logf("%-14s panics: %s", name, what)
					}
				}()
				return read([]byte(line), found)
			}()
			want := json.Valid([]byte(line)) && line[0] == '{'
			if ok != want {
				t.Logf("%-14s %-20s takes it: %v, want %v", name, what, ok, want)
			}
			if what == "escaped key is key" && found[0] != "a" {
				t.Logf("%-14s does not know an escaped key", name)
			}
		}
	}
}

type node struct {
	next  map[string]*node
	field int
}

func tree() *node {
	root := &node{next: map[string]*node{}, field: -1}
	for i, path := range fields {
		at := root
		for key := range bytes.SplitSeq([]byte(path), []byte{'.'}) {
			if at.next[string(key)] == nil {
				at.next[string(key)] = &node{next: map[string]*node{}, field: -1}
			}
			at = at.next[string(key)]
		}
		at.field = i
	}
	return root
}

func readJX() func([]byte, []string) bool {
	root, dec := tree(), jx.DecodeBytes(nil)
	var object func(at *node, found []string) error
	object = func(at *node, found []string) error {
		return dec.ObjBytes(func(dec *jx.Decoder, key []byte) error {
			child := at.next[string(key)]
			switch {
			case child == nil:
				return dec.Skip()
			case len(child.next) > 0 && dec.Next() == jx.Object:
				return object(child, found)
			case child.field >= 0 && dec.Next() == jx.String:
				text, err := dec.Str()
				found[child.field] = text
				return err
			}
			return dec.Skip()
		})
	}
	return func(line []byte, found []string) bool {
		dec.ResetBytes(line)
		return dec.Next() == jx.Object && object(root, found) == nil && errors.Is(dec.Skip(), io.EOF)
	}
}

type record struct {
	EventID   string `json:"event_id"`
	Timestamp string `json:"timestamp"`
	Actor     struct {
		Type      string `json:"type"`
		UserID    string `json:"user_id"`
		UserEmail string `json:"user_email"`
	} `json:"actor"`
	RequestMetadata struct {
		ClientIP        string `json:"client_ip"`
		ClientUserAgent string `json:"client_user_agent"`
		ClientJA3       string `json:"client_ja3"`
		Details         struct {
			Country string `json:"country"`
			City    string `json:"city"`
		} `json:"client_ip_details"`
	} `json:"request_metadata"`
	ActionData struct {
		Action   string `json:"action"`
		Provider string `json:"auth_provider_name"`
	} `json:"action_data"`
	EventType    string `json:"event_type"`
	ClientID     string `json:"client_id"`
	EventDetails struct {
		DetailType string `json:"detail_type"`
		Model      string `json:"model"`
		SessionID  string `json:"session_id"`
	} `json:"event_details"`
	Message struct {
		ID     string `json:"id"`
		Author struct {
			Type  string `json:"type"`
			Model string `json:"model"`
		} `json:"author"`
	} `json:"message"`
	Conversation struct {
		ID    string `json:"id"`
		GPTID string `json:"gpt_id"`
	} `json:"conversation"`
}

func readStruct(unmarshal func([]byte, any) error) func([]byte, []string) bool {
	return func(line []byte, found []string) bool {
		var r record
		err := unmarshal(line, &r)
		found[0] = r.EventID
		return err == nil
	}
}

func readFastJSON() func([]byte, []string) bool {
	var p fastjson.Parser
	paths := make([][]string, len(fields))
	for i, path := range fields {
		for key := range bytes.SplitSeq([]byte(path), []byte{'.'}) {
			paths[i] = append(paths[i], string(key))
		}
	}
	return func(line []byte, found []string) bool {
		v, err := p.ParseBytes(line)
		if err != nil || v.Type() != fastjson.TypeObject {
			return false
		}
		for i, path := range paths {
			found[i] = string(v.GetStringBytes(path...))
		}
		return true
	}
}

func readGJSON() func([]byte, []string) bool {
	return func(line []byte, found []string) bool {
		if !gjson.ValidBytes(line) || line[0] != '{' {
			return false
		}
		for i, r := range gjson.GetManyBytes(line, fields...) {
			found[i] = r.String()
		}
		return true
	}
}

func readJSONText() func([]byte, []string) bool {
	root := tree()
	dec, in := jsontext.NewDecoder(bytes.NewReader(nil), jsontext.AllowDuplicateNames(true)), bytes.NewReader(nil)
	var object func(at *node, found []string) error
	object = func(at *node, found []string) error {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		for dec.PeekKind() != '}' {
			key, err := dec.ReadToken()
			if err != nil {
				return err
			}
			child := at.next[key.String()]
			switch {
			case child != nil && len(child.next) > 0 && dec.PeekKind() == '{':
				err = object(child, found)
			case child != nil && child.field >= 0 && dec.PeekKind() == '"':
				var value jsontext.Token
				if value, err = dec.ReadToken(); err == nil {
					found[child.field] = value.String()
				}
			default:
				err = dec.SkipValue()
			}
			if err != nil {
				return err
			}
		}
		_, err := dec.ReadToken()
		return err
	}
	return func(line []byte, found []string) bool {
		in.Reset(line)
		dec.Reset(in, jsontext.AllowDuplicateNames(true))
		if dec.PeekKind() != '{' || object(root, found) != nil {
			return false
		}
		_, err := dec.ReadToken()
		return errors.Is(err, io.EOF)
	}
}

func readSimdJSON() func([]byte, []string) bool {
	var parsed *simdjson.ParsedJson
	root := tree()
	var object func(obj *simdjson.Object, at *node, found []string) error
	object = func(obj *simdjson.Object, at *node, found []string) error {
		var value simdjson.Iter
		for {
			key, kind, err := obj.NextElementBytes(&value)
			if err != nil || kind == simdjson.TypeNone {
				return err
			}
			child := at.next[string(key)]
			switch {
			case child != nil && len(child.next) > 0 && kind == simdjson.TypeObject:
				inner, err := value.Object(nil)
				if err != nil {
					return err
				}
				if err := object(inner, child, found); err != nil {
					return err
				}
			case child != nil && child.field >= 0 && kind == simdjson.TypeString:
				if found[child.field], err = value.String(); err != nil {
					return err
				}
			}
		}
	}
	return func(line []byte, found []string) bool {
		var err error
		if parsed, err = simdjson.Parse(line, parsed); err != nil {
			return false
		}
		iter := parsed.Iter()
		iter.Advance()
		_, top, err := iter.Root(nil)
		if err != nil {
			return false
		}
		obj, err := top.Object(nil)
		return err == nil && object(obj, root, found) == nil
	}
}
