// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

const (
	inReceiver   = "./receiver"
	inCheckpoint = "./internal/checkpoint"
	inCompliance = "./internal/compliance"
	inDeliver    = "./internal/deliver"
	inPace       = "./internal/pace"
)

// table holds the mutants. When a change of the source moves a place, put the new
// text here; when it removes the thing itself, think again about what guards it.
// Name the smallest tests that notice: the run takes as long as they do.
var table = []mutant{
	{
		name: "position stored before the delivery", file: "receiver/file.go",
		edits: []edit{{
			"\t\treceipt, err := s.handOver(ctx, deliver.Batch{\n",
			`		early, err := s.deliver.Deliver(s.calls, ctx, deliver.Batch{Span: deliver.Span{
			FileID: file.ID, SHA256: got.sha256, EndTime: file.EndTime, NextLine: next, Last: last,
		}})
		if err != nil {
			return err
		}
		if err := s.commit(ctx, early); err != nil {
			return err
		}
		receipt, err := s.handOver(ctx, deliver.Batch{
`,
		}},
		pkg: inReceiver, tests: []string{"TestShutdownWithExpiredContext"},
	},
	{
		name: "listed after the position, not from it", file: "internal/checkpoint/segment.go",
		edits: []edit{{"position.Add(-max(overlap, tick))", "position.Add(-overlap)"}},
		pkg:   inCheckpoint, tests: []string{"TestTiesWithoutOverlap"},
	},
	{
		name: "no ledger", file: "internal/checkpoint/ledger.go",
		edits: []edit{{"_, ok := l.ends.get(hash64(id))\n\treturn ok", "return false"}},
		pkg:   inCheckpoint, tests: []string{"TestLastSpan", "TestModel"},
	},
	{
		name: "ledger forgets too early", file: "internal/checkpoint/ledger.go",
		edits: []edit{{"const ledgerKeep = 31 * 24", "const ledgerKeep = 27 * 24"}},
		pkg:   inCheckpoint, tests: []string{"TestLedgerIsPruned"},
	},
	{
		name: "listed below the floor", file: "internal/checkpoint/segment.go",
		edits: []edit{{"if from.Before(seg.From) {", "if seg.From.IsZero() {"}},
		pkg:   inCheckpoint, tests: []string{"TestListFrom"},
	},
	{
		name: "events remembered before they are stored", file: "internal/checkpoint/stream.go",
		edits: []edit{{
			"\told, crowded := s.window.age(&next.Events, next)\n",
			"\told, crowded := s.window.age(&next.Events, next)\n\ts.window.added(events)\n",
		}},
		pkg: inCheckpoint, tests: []string{"TestEventsFailedMark"},
	},
	{
		name: "events remembered that nobody accepted", file: "internal/checkpoint/stream.go",
		edits: []edit{{"\tvar events []deliver.Event\n", "\tevents := span.Events\n"}},
		pkg:   inCheckpoint, tests: []string{"TestNotDelivered"},
	},
	{
		name: "gap measured from the last file", file: "receiver/gap.go",
		edits: []edit{{"segment.Known(), time.Duration(0)", "segment.Cursor, time.Duration(0)"}},
		pkg:   inReceiver, tests: []string{"TestStreamReportsGap"},
	},
	{
		name: "Retry-After ignored", file: "receiver/retry.go",
		edits: []edit{{"return min(status.RetryAfter, r.retry.MaxRetryAfter)", "return 0"}},
		pkg:   inReceiver, tests: []string{"TestRetryAfterPausesAllStreams"},
	},
	{
		name: "one type's error returned to all", file: "receiver/retry.go",
		edits: []edit{
			{"\tgate  pauser\n}", "\tgate  pauser\n\tfailed error\n}"},
			{
				"\treturn r.goOn(ctx, fn(), fn)\n",
				"\terr := fn()\n\tif keyRefused(err) {\n\t\tr.failed = err\n\t}\n\tif r.failed != nil {\n\t\treturn r.failed\n\t}\n\treturn r.goOn(ctx, err, fn)\n",
			},
		},
		pkg: inReceiver, tests: []string{"TestStreamsAreIndependent"},
	},
	{
		name: "next page from the last one's very end", file: "internal/compliance/pager.go",
		edits: []edit{{"p.askFrom(end.Add(-tick))", "p.askFrom(end)"}},
		pkg:   inCompliance, tests: []string{"TestPagerNeverSkipsTies", "TestPagerListsEveryFileOnce"},
	},
	{
		name: "body read without a bound", file: "internal/compliance/body.go",
		edits: []edit{{"readUpTo(buffered, room, limit)", "readUpTo(buffered, room, 1000*limit)"}},
		pkg:   inCompliance, tests: []string{"TestDownloadBoundsTheBody"},
	},
	{
		name: "inflated without a bound", file: "internal/compliance/body.go",
		edits: []edit{{"readUpTo(r, room, limit)", "readUpTo(r, room, 10*limit)"}},
		pkg:   inCompliance, tests: []string{"TestDownloadStopsABomb"},
	},
	{
		name: "end of the connection taken for the file's", file: "internal/compliance/body.go",
		edits: []edit{
			{"if errors.Is(err, io.EOF) {\n\t\t\treturn content", "if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {\n\t\t\treturn content"},
			{"content.SHA256 == file.SHA256 || ofSent", "true"},
			{"size == file.Size && !b.more", "size <= file.Size"},
		},
		pkg: inCompliance, tests: []string{"TestDownloadRefusesEveryCut"},
	},
	{
		name: "key sent to the host of the signed URL", file: "internal/compliance/download.go",
		edits: []edit{{
			"\treq.Header.Set(\"Accept-Encoding\", \"identity\")\n",
			"\treq.Header.Set(\"Accept-Encoding\", \"identity\")\n\tkey, _ := c.Key.Key()\n\treq.Header.Set(\"Authorization\", \"Bearer \"+key)\n",
		}},
		pkg: inCompliance, tests: []string{"TestRedirectsCarryNoCredentials"},
	},
	{
		name: "permanent refusal tried again for ever", file: "internal/deliver/deliver.go",
		edits: []edit{{"case !r.Permanent:", "case r.Attempt > 0:"}},
		pkg:   inDeliver, tests: []string{"TestPermanentDropped"},
	},
	{
		name: "canceled call taken for accepted", file: "internal/deliver/deliver.go",
		edits: []edit{{
			"\t\tif ctx.Err() != nil {\n\t\t\treturn Open, nil, fmt.Errorf(\"deliver: %w\", ctx.Err())\n",
			"\t\tif ctx.Err() != nil {\n\t\t\treturn Accepted, nil, nil\n",
		}},
		pkg: inDeliver, tests: []string{"TestCancelledIsNoVerdict"},
	},
	{
		name: "refused batch given up at shutdown", file: "internal/deliver/deliver.go",
		edits: []edit{{
			"wait.Sleep(stop, r.Wait); err != nil {\n\t\t\treturn Open, nil, fmt.Errorf(\"deliver: %w\", err)\n",
			"wait.Sleep(stop, r.Wait); err != nil {\n\t\t\treturn Accepted, nil, nil\n",
		}},
		pkg: inDeliver, tests: []string{"TestStopEndsWait"},
	},
	{
		name: "boundary of two segments belongs to none", file: "internal/checkpoint/segment.go",
		edits: []edit{{"!end.After(g.To)", "end.Before(g.To)"}},
		pkg:   inReceiver, tests: []string{"TestOutageBecomesHistory"},
	},
	{
		name: "boundary of two segments belongs to both", file: "internal/checkpoint/segment.go",
		edits: []edit{{"return end.After(g.From)", "return !end.Before(g.From)"}},
		pkg:   inCheckpoint, tests: []string{"TestSegmentsAdjoin"},
	},
	{
		name: "segment ends before a clean list of all of it", file: "receiver/lane.go",
		edits: []edit{{"clean := p.kind == passWhole && !p.fresh", "clean := true"}},
		pkg:   inReceiver, tests: []string{"TestHistoryEndsWithCleanList"},
	},
	{
		name: "cut pass begins again from the start", file: "receiver/lane.go",
		edits: []edit{{"if (p.answered || p.resumed) && !p.through {", "if p.resumed && p.through {"}},
		pkg:   inReceiver, tests: []string{"TestCutPasses"},
	},
	{
		name: "history waits for ever behind live files", file: "internal/pace/scheduler.go",
		edits: []edit{{"s.others >= backlogShare-1", "s.others < 0"}},
		pkg:   inPace, tests: []string{"TestSchedulerBacklogShare"},
	},
}
