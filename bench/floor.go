// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"

	"github.com/go-faster/jx"
)

// floor does what no receiver can do without: read a body by HTTP, digest it, and
// read the tokens of its lines.
func floor(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content := make([]byte, resp.ContentLength)
	if _, err := io.ReadFull(resp.Body, content); err != nil {
		return err
	}
	_ = sha256.Sum256(content)
	dec := jx.DecodeBytes(nil)
	for line := range bytes.Lines(content) {
		dec.ResetBytes(line)
		if err := dec.Skip(); err != nil {
			return err
		}
	}
	return nil
}

// measureFloor runs the floor in a process of its own.
func measureFloor(ctx context.Context, s *source) (used, error) {
	cmd := exec.CommandContext(ctx, os.Args[0], append([]string{"floor"}, s.urls()...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return used{}, fmt.Errorf("floor: %w", err)
	}
	return used{cpu: cpuOf(cmd.ProcessState)}, nil
}
