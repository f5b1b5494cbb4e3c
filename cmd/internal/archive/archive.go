// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package archive is a directory of exported files and a manifest of them: what fetch
// writes and verify reads.
package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// ManifestName is the manifest's name in the directory: one Entry a line, as JSON.
const ManifestName = "manifest.jsonl"

// Entry is one file of an archive, as the manifest has it.
type Entry struct {
	EventType      string    `json:"event_type"`
	WorkspaceID    string    `json:"workspace_id,omitempty"`
	OrganizationID string    `json:"organization_id,omitempty"`
	FileID         string    `json:"file_id"`
	FileName       string    `json:"file_name,omitempty"`
	EndTime        time.Time `json:"end_time,omitzero"`
	Size           int64     `json:"size"`
	SHA256         string    `json:"sha256"`
	// Unverified is set when the listing had no digest to compare the content with.
	Unverified bool `json:"unverified,omitempty"`
	// Path of the file in the directory, with slashes.
	Path    string    `json:"path"`
	Fetched time.Time `json:"fetched"`
}

// key names a file of the API.
type key struct{ principal, eventType, fileID string }

func (e Entry) key() key { return key{e.WorkspaceID + e.OrganizationID, e.EventType, e.FileID} }

// path is where an entry's file belongs. Names of others are no names on disk, so it is
// made of what is safe: the event type as validated, the time and the digest.
func (e Entry) path() string {
	at := "unknown-time"
	if !e.EndTime.IsZero() {
		at = e.EndTime.UTC().Format("20060102T150405.000000Z")
	}
	return e.EventType + "/" + e.EventType + "_" + at + "_" + e.SHA256[:16] + ".jsonl"
}

// Archive is an open directory. It is safe for concurrent use within one process.
type Archive struct {
	dir string

	mu       sync.Mutex // guards everything below
	entries  map[key]Entry
	manifest *os.File
}

// Open opens a directory for writing, and makes it if there is none. The caller closes
// the archive.
func Open(dir string) (*Archive, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	a := &Archive{dir: dir, entries: map[key]Entry{}}
	entries, whole, err := readManifest(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		a.entries[e.key()] = e
	}
	path := filepath.Join(dir, ManifestName)
	if a.manifest, err = os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil { //nolint:gosec // the user names the directory
		return nil, fmt.Errorf("open archive: %w", err)
	}
	if !whole { // what a crash has cut stays, as a line that is read over
		_, err = a.manifest.WriteString("\n")
	}
	return a, err
}

// Close closes the manifest.
func (a *Archive) Close() error { return a.manifest.Close() }

// Has returns the archive's entry of a file of the API, if the file is on disk as its
// entry says, to the last byte.
func (a *Archive) Has(wanted Entry) (Entry, bool) {
	a.mu.Lock()
	e, ok := a.entries[wanted.key()]
	a.mu.Unlock()
	if !ok || (wanted.SHA256 != "" && wanted.SHA256 != e.SHA256) {
		return Entry{}, false
	}
	sum, size, err := digestFile(filepath.Join(a.dir, filepath.FromSlash(e.Path)))
	return e, err == nil && sum == e.SHA256 && size == e.Size
}

func digestFile(path string) (sum string, size int64, err error) {
	file, err := os.Open(path) //nolint:gosec // the user names the directory
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err = io.Copy(hash, file)
	return hex.EncodeToString(hash.Sum(nil)), size, err
}

// Put writes a file, whole or not at all, and then its line of the manifest. Size,
// SHA256 and Path of the entry are set here.
func (a *Archive) Put(e Entry, content []byte) error {
	sum := sha256.Sum256(content)
	e.SHA256, e.Size = hex.EncodeToString(sum[:]), int64(len(content))
	e.Path = e.path()
	if err := a.write(filepath.Join(a.dir, filepath.FromSlash(e.Path)), content); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, err := a.manifest.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := a.manifest.Sync(); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	a.entries[e.key()] = e
	return nil
}

// write puts content into a file beside and renames it.
func (a *Archive) write(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	beside, err := os.CreateTemp(dir, ".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(beside.Name()))
		}
	}()
	_, err = beside.Write(content)
	if err = errors.Join(err, beside.Sync(), beside.Close()); err != nil {
		return err
	}
	if err := os.Rename(beside.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a rename last. Where a directory cannot be synced there is no need to.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the user names the directory
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// maxLine bounds a line of the manifest: names and ids have 512 bytes at most.
const maxLine = 64 << 10

// readManifest reads the entries of a directory. A line that is no entry is one that a
// crash has cut; whole is false when the last one is.
func readManifest(dir string) (entries []Entry, whole bool, err error) {
	data, err := os.ReadFile(filepath.Join(dir, ManifestName)) //nolint:gosec // the user names the directory
	if err != nil {
		return nil, true, fmt.Errorf("read manifest: %w", err)
	}
	for line := range bytes.Lines(data) {
		var e Entry
		if len(line) > maxLine || json.Unmarshal(line, &e) != nil {
			continue
		}
		if e.EventType == "" || e.FileID == "" || len(e.SHA256) != 2*sha256.Size || !filepath.IsLocal(filepath.FromSlash(e.Path)) {
			continue
		}
		entries = append(entries, e)
	}
	return entries, len(data) == 0 || data[len(data)-1] == '\n', nil
}

// Read returns the entries of the manifest of a directory, without looking at the files.
func Read(dir string) ([]Entry, error) {
	entries, _, err := readManifest(dir)
	return entries, err
}
