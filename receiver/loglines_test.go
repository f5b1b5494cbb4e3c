// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package receiver

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxMessageWords bounds a log message: it is a constant that names what happened; the
// facts are fields.
const maxMessageWords = 8

// logCalls are the functions that log, and which argument is the message: those of
// zap.Logger, and the engine's notes.
var logCalls = map[string]int{"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "Log": 1, "note": 1}

// indirect are the messages that are no literal where they are logged.
var indirect = map[string]bool{"note.Message": true, "gapMessages[gap.Reason]": true}

// Every message that the receiver logs is a short constant and explained in
// docs/operations.md, and every message explained there exists.
func TestLogLinesAreDocumented(t *testing.T) {
	document, err := os.ReadFile("../docs/operations.md")
	require.NoError(t, err)
	_, table, _ := strings.Cut(string(document), "\n## Log lines\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var explained []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(table, -1) {
		assert.False(t, slices.Contains(explained, row[1]), "explained twice: %s", row[1])
		explained = append(explained, row[1])
	}
	require.NotEmpty(t, explained)

	var logged []string
	for _, dir := range []string{".", "../internal/collect", "../internal/status", "../internal/deliver", "../internal/checkpoint", "../internal/limit", "../internal/compliance"} {
		sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, sources, dir)
		for _, source := range sources {
			if !strings.HasSuffix(source, "_test.go") {
				logged = append(logged, messagesOf(t, source)...)
			}
		}
	}
	for _, message := range logged {
		assert.LessOrEqual(t, len(strings.Fields(message)), maxMessageWords, message)
		assert.True(t, slices.Contains(explained, message), "not explained: %s", message)
	}
	for _, message := range explained {
		assert.True(t, slices.Contains(logged, message), "not logged: %s", message)
	}
}

// messagesOf returns the messages that a source file logs.
func messagesOf(t *testing.T, source string) (messages []string) {
	t.Helper()
	text, err := os.ReadFile(source)
	require.NoError(t, err)
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, source, text, 0)
	require.NoError(t, err)
	textOf := func(node ast.Node) string {
		return string(text[files.Position(node.Pos()).Offset:files.Position(node.End()).Offset])
	}
	ast.Inspect(file, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			if message := messageOf(n, textOf); message != nil {
				if literal, ok := message.(*ast.BasicLit); ok {
					messages = append(messages, unquoted(t, literal))
				} else {
					assert.True(t, indirect[textOf(message)], "%s: the message %s is no literal", source, textOf(message))
				}
			}
		case *ast.ValueSpec:
			if n.Names[0].Name == "gapMessages" {
				for _, entry := range n.Values[0].(*ast.CompositeLit).Elts {
					messages = append(messages, unquoted(t, entry.(*ast.KeyValueExpr).Value.(*ast.BasicLit)))
				}
			}
		}
		return true
	})
	return slices.Compact(messages)
}

// messageOf returns the message of a call that logs, nil for any other call.
func messageOf(call *ast.CallExpr, textOf func(ast.Node) string) ast.Expr {
	function, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at, ok := logCalls[function.Sel.Name]
	on := strings.ToLower(textOf(function.X))
	if !ok || at >= len(call.Args) || (function.Sel.Name != "note" && !strings.Contains(on, "logger")) {
		return nil
	}
	return call.Args[at]
}

func unquoted(t *testing.T, literal *ast.BasicLit) string {
	t.Helper()
	text, err := strconv.Unquote(literal.Value)
	require.NoError(t, err)
	return text
}
