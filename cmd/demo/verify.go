// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/cli"
)

const digestEvent = "openai.compliance.digest"

// verify lets `openai-compliance verify` prove what was delivered, and then find what is
// wrong with a copy: one record deleted, one attribute changed.
func (d *demo) verify(dir string) error {
	exported := filepath.Join(dir, "exported")
	if err := os.Mkdir(exported, 0o700); err != nil {
		return err
	}
	for _, file := range d.api.Files("") {
		if err := os.WriteFile(filepath.Join(exported, file.EventType+"-"+file.ID+".jsonl"), file.Content, 0o600); err != nil {
			return err
		}
	}
	delivered := filepath.Join(dir, "delivered.json")
	fmt.Print("\n--- openai-compliance verify: is everything there, as it was exported? ---\n\n")
	out, status := runVerify(exported, delivered)
	fmt.Print(out)
	if status != 0 || strings.Count(out, ": complete, ") != len(types) {
		return errors.New("verify did not prove what was delivered")
	}
	tampered := filepath.Join(dir, "tampered.json")
	if err := tamper(delivered, tampered); err != nil {
		return err
	}
	fmt.Print("\n--- the same of a copy with one record deleted and the user of another changed ---\n\n")
	out, status = runVerify(exported, tampered)
	fmt.Print(out)
	if status != 1 || !strings.Contains(out, "FINDING: file incomplete") || !strings.Contains(out, `NOT PROVEN: record`) {
		return errors.New("verify did not find what is wrong with the copy")
	}
	return nil
}

func runVerify(files, records string) (out string, status int) {
	var stdout, stderr bytes.Buffer
	status = cli.New().Run(context.Background(), []string{"verify", "--files", files, records}, nil, &stdout, &stderr)
	return stdout.String() + stderr.String(), status
}

// tamper copies delivered records, without the first one that has a user, and with the
// user of the next one changed.
func tamper(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	var out bytes.Buffer
	done := 0
	messages := bufio.NewScanner(in)
	messages.Buffer(nil, 64<<20)
	for messages.Scan() {
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(messages.Bytes())
		if err != nil {
			return err
		}
		records := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		records.RemoveIf(func(record plog.LogRecord) bool {
			if _, ok := record.Attributes().Get("user.email"); !ok || done == 2 {
				return false
			}
			if done++; done == 2 {
				record.Attributes().PutStr("user.email", "mallory@example.com")
				return false
			}
			return true
		})
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
		if err != nil {
			return err
		}
		out.Write(append(text, '\n'))
	}
	return errors.Join(messages.Err(), os.WriteFile(to, out.Bytes(), 0o600))
}
