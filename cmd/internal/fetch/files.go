// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/archive"
	"github.com/openaicompliance/openaicompliancereceiver/internal/collect"
	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
	"github.com/openaicompliance/openaicompliancereceiver/internal/limit"
	"github.com/openaicompliance/openaicompliancereceiver/internal/wait"
	"github.com/openaicompliance/openaicompliancereceiver/receiver"
)

// fetchType lists the files of a type and fetches those that the directory lacks.
func (f *fetcher) fetchType(ctx context.Context, i int) error {
	eventType := f.results[i].EventType
	files := make(chan compliance.File)
	var workers sync.WaitGroup
	var writeErr error
	var once sync.Once
	listCtx, stop := context.WithCancel(ctx)
	defer stop()
	for range max(f.cfg.Download.Concurrency, 1) {
		workers.Go(func() {
			for file := range files {
				if err := f.fetchFile(listCtx, i, file); err != nil {
					once.Do(func() { writeErr = err })
					stop() // a directory that cannot be written to is full, or gone
				}
			}
		})
	}
	err := f.listFiles(listCtx, i, files)
	close(files)
	workers.Wait()
	switch {
	case writeErr != nil:
		return writeErr
	case err != nil && ctx.Err() == nil:
		f.env.Notef("%s: %v", eventType, err)
		f.env.Notef("  advice: %s", receiver.Advice(err, eventType))
	case err == nil:
		f.count(i, func(r *result) { r.Complete = true })
	}
	return nil
}

// listFiles sends what is listed of a type in the range.
func (f *fetcher) listFiles(ctx context.Context, i int, files chan<- compliance.File) error {
	eventType := f.results[i].EventType
	pager := f.client.Pages(eventType, f.since, f.until, nil)
	for {
		var page compliance.Page
		err := f.try(ctx, eventType, func() (err error) {
			if err := f.lists.Wait(ctx); err != nil {
				return err
			}
			page, err = pager.Next(ctx)
			return err
		})
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if !page.Ties.IsZero() {
			f.fail(i, "", fmt.Errorf("list files: more files than a page holds end at %s", page.Ties.Format(time.RFC3339Nano)))
		}
		for _, entry := range page.Entries {
			switch {
			case entry.OtherType || entry.EndTime.After(f.until) || (!entry.EndTime.IsZero() && !entry.EndTime.After(f.since)):
				continue // not asked for
			case entry.Fault != "":
				f.fail(i, entry.ID, fmt.Errorf("list files: %s", entry.Fault))
				continue
			}
			select {
			case files <- entry.File:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
}

func (f *fetcher) fail(i int, fileID string, err error) {
	f.env.Notef("%s: file %q: %v", f.results[i].EventType, fileID, err)
	f.count(i, func(r *result) { r.Failed++ })
}

var (
	errNoDigest = errors.New("verify file: the listing holds no digest, and download::verify is strict")
	errWrite    = errors.New("write file")
)

// fetchFile fetches a file unless the directory has it. The error is one of the
// directory; others are counted.
func (f *fetcher) fetchFile(ctx context.Context, i int, file compliance.File) error {
	entry := archive.Entry{
		EventType: f.results[i].EventType, WorkspaceID: f.cfg.WorkspaceID, OrganizationID: f.cfg.OrganizationID,
		FileID: file.ID, FileName: file.Name, EndTime: file.EndTime, SHA256: file.SHA256,
	}
	if _, ok := f.files.Has(entry); ok {
		f.count(i, func(r *result) { r.Present++ })
		return nil
	}
	var size int64
	err := f.try(ctx, entry.EventType, func() error {
		ticket := f.downloads.Enqueue(limit.Request{Priority: limit.Live, EndTime: file.EndTime, Size: f.room(file)})
		grant, err := f.downloads.Acquire(ctx, ticket)
		if err != nil {
			return err
		}
		defer grant.Release()
		content, err := f.client.Download(ctx, file)
		switch {
		case err != nil:
			return err
		case !content.Verified && f.cfg.Download.Verify != "lenient":
			return errNoDigest
		}
		size = int64(len(content.Bytes))
		entry.Unverified, entry.Fetched = !content.Verified, f.env.Now().UTC()
		if err := f.files.Put(entry, content.Bytes); err != nil {
			return fmt.Errorf("%w: %w", errWrite, err)
		}
		return nil
	})
	if errors.Is(err, errWrite) {
		return err
	}
	f.settle(ctx, i, file.ID, size, err)
	return nil
}

// settle counts what became of a file. One that nobody waits for any more is neither.
func (f *fetcher) settle(ctx context.Context, i int, fileID string, size int64, err error) {
	switch {
	case err == nil:
		f.count(i, func(r *result) { r.Fetched++; r.Bytes += size })
	case ctx.Err() == nil:
		f.fail(i, fileID, err)
	}
}

// room is the memory that a file takes.
func (f *fetcher) room(file compliance.File) int64 {
	if file.Size < 0 {
		return f.cfg.Download.MaxFileSize
	}
	return file.Size
}

// try makes a request again where api_retry says so, and lets nobody ask a route while
// the server wants to be left alone.
func (f *fetcher) try(ctx context.Context, eventType string, request func() error) error {
	classifier := collect.Classifier{EventType: eventType, StatusCodes: f.cfg.APIRetry.StatusCodes}
	retries := wait.NewBackOff(f.backOff())
	for {
		err := request()
		if err == nil || errors.Is(err, io.EOF) || errors.Is(err, errWrite) || ctx.Err() != nil {
			return err
		}
		fault := classifier.Classify(err)
		if fault.Retry != collect.RetryNow && fault.Retry != collect.RetryPause && fault.Retry != collect.RetryURL {
			return err
		}
		asked := fault.Pause.For
		if asked = min(asked, f.cfg.APIRetry.MaxRetryAfter); !f.cfg.APIRetry.HonorRetryAfter {
			asked = 0
		}
		pause, again := retries.Next(asked)
		if !again {
			return err
		}
		if fault.Pause.Limited {
			f.pauseRoute(fault.Pause, pause)
		}
		if wait.Sleep(ctx, pause) != nil {
			return err
		}
	}
}

// pauseRoute is for a 429 of the API.
func (f *fetcher) pauseRoute(asked collect.Pause, pause time.Duration) {
	switch {
	case asked.Host != "":
	case asked.Op == compliance.OperationList:
		f.lists.Pause(pause)
		f.lists.Rejected()
	case asked.Op == compliance.OperationDownload:
		f.downloads.Pause(pause)
		f.downloads.Rejected()
	}
}
