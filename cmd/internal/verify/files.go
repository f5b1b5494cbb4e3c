// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/archive"
	"github.com/openaicompliance/openaicompliancereceiver/internal/jsonl"
)

// exported is a file that is at hand, and what is known of it beside its content.
type exported struct {
	path string
	// listed is the file's entry of a manifest, or of a file that has none what its name
	// tells: the event type.
	listed archive.Entry
	// hasEntry is set when listed is an entry: id, name and principal are known.
	hasEntry bool
}

// fileSet is the files at hand, by the SHA-256 of their content. Their lines are read
// when a record names them, and the last ones read are kept.
type fileSet struct {
	files map[string][]exported
	lines map[string]map[int64][]byte
	size  map[string]int
	order []string // of lines, the oldest first
	kept  int      // bytes
}

// keptBytes bounds the content that is kept; one file is kept, however large.
const keptBytes = 48 << 20

func newFileSet() *fileSet {
	return &fileSet{files: map[string][]exported{}, lines: map[string]map[int64][]byte{}, size: map[string]int{}}
}

func (s *fileSet) empty() bool { return len(s.files) == 0 }

// add adds a file, or the files of a directory: those of its manifest, else those whose
// names end with .jsonl.
func (s *fileSet) add(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return s.addFile(path)
	}
	entries, err := archive.Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		s.files[e.SHA256] = append(s.files[e.SHA256], exported{path: filepath.Join(path, filepath.FromSlash(e.Path)), listed: e, hasEntry: true})
	}
	if err == nil {
		return nil
	}
	paths, err := filepath.Glob(filepath.Join(path, "*.jsonl"))
	if err == nil && len(paths) == 0 {
		err = fmt.Errorf("%s has neither %s nor a file *.jsonl", path, archive.ManifestName)
	}
	for _, path := range paths {
		err = errors.Join(err, s.addFile(path))
	}
	return err
}

func (s *fileSet) addFile(path string) error {
	sum, err := digestOf(path)
	if err == nil {
		s.files[sum] = append(s.files[sum], exported{path: path, listed: archive.Entry{EventType: TypeOfName(path)}})
	}
	return err
}

// find returns the file of a digest; of several files with one content that of the id,
// else one without an entry, which may have any id, else the first.
func (s *fileSet) find(sum, id string) (exported, bool) {
	found := s.files[sum]
	if len(found) == 0 {
		return exported{}, false
	}
	for _, fits := range []func(exported) bool{
		func(e exported) bool { return e.hasEntry && e.listed.FileID == id },
		func(e exported) bool { return !e.hasEntry },
	} {
		if i := slices.IndexFunc(found, fits); i >= 0 {
			return found[i], true
		}
	}
	return found[0], true
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

var typeInName = regexp.MustCompile(`(?i)^[a-z][a-z_]*[a-z]`)

// TypeOfName is the event type that an exported file's name begins with, whatever time
// follows; "" when it begins with none.
func TypeOfName(path string) string {
	return strings.ToUpper(typeInName.FindString(strings.TrimSuffix(filepath.Base(path), ".jsonl")))
}

// linesOf returns the lines of a file by their numbers.
func (s *fileSet) linesOf(sum string) (map[int64][]byte, error) {
	if lines, ok := s.lines[sum]; ok {
		return lines, nil
	}
	path := s.files[sum][0].path
	content, err := os.ReadFile(path) //nolint:gosec // the path is the user's own
	if err != nil {
		return nil, err
	}
	if got := sha256.Sum256(content); hex.EncodeToString(got[:]) != sum {
		return nil, fmt.Errorf("%s is not what its manifest says", path)
	}
	lines := map[int64][]byte{}
	for reader := jsonl.NewReader(content); reader.Next(); {
		lines[int64(reader.Number())] = reader.Line()
	}
	for s.kept += len(content); s.kept > keptBytes && len(s.order) > 0; s.order = s.order[1:] {
		s.kept -= s.size[s.order[0]]
		delete(s.lines, s.order[0])
	}
	s.lines[sum], s.size[sum], s.order = lines, len(content), append(s.order, sum)
	return lines, nil
}
