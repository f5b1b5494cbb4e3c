// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"errors"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// verifier decides on bodies that are not the listed file. With lenient
// verification the same bytes in two fetches that are some time apart, as many as
// listed, are taken for the file: then it is the listed digest that is wrong. An
// error page or a cut body has another size.
type verifier struct {
	strict bool
	apart  time.Duration

	mu   sync.Mutex // guards seen
	seen map[string]mismatch
}

// mismatch is a complete body of the listed size with another digest, and when it
// came first.
type mismatch struct {
	sha256 string
	at     time.Time
}

// maxMismatches bounds what is remembered.
const maxMismatches = 1000

func newVerifier(strict bool, apart time.Duration) *verifier {
	return &verifier{strict: strict, apart: apart, seen: map[string]mismatch{}}
}

// judge returns the content that is taken for the file, or the error as it is.
func (v *verifier) judge(file compliance.File, content compliance.Content, err error) (compliance.Content, error) {
	if err == nil {
		if !content.Verified && v.strict {
			return compliance.Content{}, errUnverifiable
		}
		return content, nil
	}
	found, ok := errors.AsType[*compliance.IntegrityError](err)
	if !ok || found.Content == nil || found.GotSize != found.WantSize {
		return compliance.Content{}, err
	}
	bytes := found.Content
	found.Content = nil
	if v.strict || !v.repeated(file.ID, found.GotSHA256) {
		return compliance.Content{}, err
	}
	return compliance.Content{Bytes: bytes, SHA256: found.GotSHA256}, nil
}

// repeated remembers a mismatch, and reports whether it came long enough before.
func (v *verifier) repeated(fileID, sha256 string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	before, known := v.seen[fileID]
	if known && before.sha256 == sha256 {
		return time.Since(before.at) >= v.apart
	}
	if len(v.seen) < maxMismatches {
		v.seen[fileID] = mismatch{sha256, time.Now()}
	}
	return false
}

// forget drops what is remembered of a file that is settled.
func (v *verifier) forget(fileID string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.seen, fileID)
}
