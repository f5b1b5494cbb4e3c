// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

const (
	inCheckpoint = "./internal/checkpoint"
	inCollect    = "./internal/collect"
	inCompliance = "./internal/compliance"
	inDeliver    = "./internal/deliver"
	inDigest     = "./internal/digest"
	inLimit      = "./internal/limit"
	inReceiver   = "./receiver"
	inSecret     = "./internal/secret"
	inSim        = "./internal/sim"
	inStatus     = "./internal/status"
)

// table holds the mutants. When a change of the source moves a place, put the new
// text here; when it removes the thing itself, think again about what guards it.
// Name the smallest tests that notice: the run takes as long as they do.
var table = []mutant{
	{
		name: "a broken pipeline does not hold", file: "internal/deliver/plan.go",
		edits: []edit{{"case last && p.probing.rejected > 0:", "case last && p.probing.rejected < 0:"}},
		pkg:   inDeliver, tests: []string{"TestAllBadHolds"},
	},
	{
		name: "a batch is split without a probe", file: "internal/deliver/plan.go",
		edits: []edit{{"a.sent < maxProbes || p.left.isAheadFull()", "a.sent < 1000*maxProbes || p.left.isAheadFull()"}},
		pkg:   inDeliver, tests: []string{"TestAllBadHolds"},
	},
	{
		name: "a batch is split at its first retryable errors", file: "internal/deliver/plan.go",
		edits: []edit{{"part.hasFailed(probeAfterFailures, probeAfterTime, a.at)", "part.hasFailed(probeAfterFailures, 0, a.at)"}},
		pkg:   inDeliver, tests: []string{"TestPlainErrorOfOneRecord"},
	},
	{
		name: "a run of failed single records never holds", file: "internal/deliver/consumer.go",
		edits: []edit{{"const maxFailedRun = 8", "const maxFailedRun = 80"}},
		pkg:   inDeliver, tests: []string{"TestPoisonedSingles"},
	},
	{
		name: "a single record is quarantined at its first retryable error", file: "internal/deliver/plan.go",
		edits: []edit{{"p.part().hasFailed(singleTries, singleTime, a.at)", "p.part().hasFailed(1, 0, a.at)"}},
		pkg:   inDeliver, tests: []string{"TestPlainErrorOfOneRecord"},
	},
	{
		name: "a dropped batch is offered again", file: "internal/deliver/plan.go",
		edits: []edit{{"if p.policy == Drop {", "if p.policy == Drop && len(step.Records) == 0 {"}},
		pkg:   inDeliver, tests: []string{"TestPlan"},
	},
	{
		name: "a probed split counts towards a hold", file: "internal/deliver/plan.go",
		edits: []edit{{"part.kind != probedSplit && !s.singleFailed()", "!s.singleFailed()"}},
		pkg:   inDeliver, tests: []string{"TestHoldFindsGoodRecord"},
	},
	{
		name: "a canceled call counts as accepted", file: "internal/deliver/delivery.go",
		edits: []edit{{`err = fmt.Errorf("deliver: %w", ctx.Err())`, "return d.accept(step, call), nil"}},
		pkg:   inDeliver, tests: []string{"TestContextEnds"},
	},
	{
		name: "a rejected batch counts as accepted", file: "internal/deliver/delivery.go",
		edits: []edit{{"return Receipt{}, exhausted", "return Receipt{part: call.Part, outcome: Accepted}, exhausted"}},
		pkg:   inDeliver, tests: []string{"TestRetriedUntilAccepted"},
	},
	{
		name: "live takes every turn", file: "internal/deliver/lock.go",
		edits: []edit{{"maxPassedOver-l.queues[turn].passedOver <= rank", "rank < 0 && turn < 0"}},
		pkg:   inDeliver, tests: []string{"TestLockFifthTurn"},
	},
	{
		name: "the right half is delivered first", file: "internal/deliver/plan.go",
		edits: []edit{
			{"{kind: kind, records: records[middle:]}", "{kind: kind, records: records[:middle]}"},
			{"append(p.parts, batchPart{kind: kind, records: records[:middle]})", "append(p.parts, batchPart{kind: kind, records: records[middle:]})"},
		},
		pkg: inDeliver, tests: []string{"TestQuarantinedIsReported"},
	},
	{
		name: "a size is learned from poisoned records", file: "internal/deliver/plan.go",
		edits: []edit{{"if len(step.Records) == 1 {\n\t\tp.size.spoiled = true", "if len(step.Records) == 0 {\n\t\tp.size.spoiled = true"}},
		pkg:   inDeliver, tests: []string{"TestLearnedSizeProof"},
	},
	{
		name: "block quarantines", file: "internal/deliver/plan.go",
		edits: []edit{{"if p.policy == Block {", "if p.policy == Block && p.held {"}},
		pkg:   inDeliver, tests: []string{"TestBlockHoldsSingle"},
	},
	{
		name: "seen events of a rejected batch", file: "internal/checkpoint/commit.go",
		edits: []edit{{"if r.Outcome() == deliver.Accepted {", "if r.Outcome() != deliver.Open {"}},
		pkg:   inCheckpoint, tests: []string{"TestOnlyAcceptedEventsAreSeen"},
	},
	{
		name: "the offset of a file is not stored", file: "internal/checkpoint/commit.go",
		edits: []edit{{"File: part.File, NextLine: part.NextLine,", "File: part.File, NextLine: 1,"}},
		pkg:   inCheckpoint, tests: []string{"TestResumeLine"},
	},
	{
		name: "a change shows before it is stored", file: "internal/checkpoint/commit.go",
		edits: []edit{{"d.Unused = s.unused(now, d)", "d.Unused = s.unused(now, d)\n\ts.show(d)"}},
		pkg:   inCheckpoint, tests: []string{"TestFailedWrite"},
	},
	{
		name: "a checkpoint names blocks that are not stored", file: "internal/checkpoint/commit.go",
		edits: []edit{{`ops = append(ops, storage.SetOperation(key+"/"+block.name, block.data))`, "_ = block"}},
		pkg:   inCheckpoint, tests: []string{"TestFailedWrite", "TestEventsAge"},
	},
	{
		name: "an implausible end_time moves the cursor", file: "internal/checkpoint/commit.go",
		edits: []edit{{"if !at.Implausible {", "if at.Implausible || !at.Implausible {"}},
		pkg:   inCheckpoint, tests: []string{"TestImplausibleTime"},
	},
	{
		name: "quarantined lines forget earlier ones", file: "internal/checkpoint/commit.go",
		edits: []edit{{"unitedRanges(entry.Lines, rangesOf(part.Lines))", "unitedRanges(nil, rangesOf(part.Lines))"}},
		pkg:   inCheckpoint, tests: []string{"TestQuarantinedLines"},
	},
	{
		name: "a full retry queue takes more", file: "internal/checkpoint/commit.go",
		edits: []edit{{"checkGrowth(before, d.Queue.ranges(), MaxQueuedRanges)", "checkGrowth(before, before, MaxQueuedRanges)"}},
		pkg:   inCheckpoint, tests: []string{"TestQueueFull"},
	},
	{
		name: "a retried line stays in the queue", file: "internal/checkpoint/commit.go",
		edits: []edit{{"left := rangesWithout(entry.Lines, rangesOf(part.Lines))", "left := rangesWithout(entry.Lines, nil)"}},
		pkg:   inCheckpoint, tests: []string{"TestQuarantinedLines"},
	},
	{
		name: "a failed commit leaves its blocks for good", file: "internal/checkpoint/commit.go",
		edits: []edit{{"s.abandoned = append(s.abandoned, block.name)", "_ = block.name"}},
		pkg:   inCheckpoint, tests: []string{"TestAbandonedBlocks"},
	},
	{
		name: "other bytes resume at the old line", file: "internal/checkpoint/files.go",
		edits: []edit{{"begun && f.SHA256 != sha256", `begun && sha256 == ""`}},
		pkg:   inCheckpoint, tests: []string{"TestResumeLine"},
	},
	{
		name: "completed files are forgotten too early", file: "internal/checkpoint/completed.go",
		edits: []edit{{"keepCompleted = 31 * 24", "keepCompleted = 27 * 24"}},
		pkg:   inCheckpoint, tests: []string{"TestCompletedFilesAge"},
	},
	{
		name: "no completed files", file: "internal/checkpoint/checkpoint.go",
		edits: []edit{{"s.completed[hash] > 0", "s.completed[hash] > 1000"}},
		pkg:   inCheckpoint, tests: []string{"TestCompletes"},
	},
	{
		name: "the boundary of two segments belongs to none", file: "internal/checkpoint/segment.go",
		edits: []edit{{"!end.After(g.To)", "end.Before(g.To)"}},
		pkg:   inCheckpoint, tests: []string{"TestHistory"},
	},
	{
		name: "the boundary of two segments belongs to both", file: "internal/checkpoint/segment.go",
		edits: []edit{{"return end.After(g.From)", "return !end.Before(g.From)"}},
		pkg:   inCheckpoint, tests: []string{"TestHistory"},
	},
	{
		name: "listed_through moves back", file: "internal/checkpoint/segment.go",
		edits: []edit{{"latest(stored.ListedThrough, wholeMicros(through))", "wholeMicros(through)"}},
		pkg:   inCheckpoint, tests: []string{"TestPollComplete"},
	},
	{
		name: "a gap lets the cursor leave its segment", file: "internal/checkpoint/segment.go",
		edits: []edit{{"through = earlier(through, seg.To)", "through = latest(through, seg.To)"}},
		pkg:   inCheckpoint, tests: []string{"TestPassGap"},
	},
	{
		name: "earlier terms are kept", file: "internal/checkpoint/checkpoint.go",
		edits: []edit{{"next.Unused = append(next.Unused, earlier.ID)", `next.Unused = append(next.Unused, "none")`}},
		pkg:   inCheckpoint, tests: []string{"TestEarlierTermsAreDeleted"},
	},
	{
		name: "a later start writes to the earlier term", file: "internal/checkpoint/checkpoint.go",
		edits: []edit{{"s.beginTerm(ctx, newTerm(earlier.Number+1), &next)", "s.beginTerm(ctx, earlier, &next)"}},
		pkg:   inCheckpoint, tests: []string{"TestTerms"},
	},
	{
		name: "old state counts as a first run", file: "internal/checkpoint/term.go",
		edits: []edit{{"case bytes.HasPrefix(value, []byte(oldHeader)):\n\t\treturn fmt.Errorf(\"load checkpoint %q: %w\", key, ErrOldFormat)", "case bytes.HasPrefix(value, []byte(oldHeader)):\n\t\treturn nil"}},
		pkg:   inCheckpoint, tests: []string{"TestOldFormat"},
	},
	{
		name: "the checksum is not checked", file: "internal/checkpoint/state.go",
		edits: []edit{{"!bytes.Equal(withHeader(doc), value)", "len(withHeader(doc)) != len(value)"}},
		pkg:   inCheckpoint, tests: []string{"TestEveryBitAndByte"},
	},
	{
		name: "listed from the cursor exactly", file: "internal/collect/plan.go",
		edits: []edit{{"seg.ListBase.Add(-max(back, tick))", "seg.ListBase.Add(-back)"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "an open file is not listed again", file: "internal/collect/plan.go",
		edits: []edit{{"open.Add(-tick).Before(after)", "open.Before(seg.From)"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "listed from before the floor", file: "internal/collect/plan.go",
		edits: []edit{{"if at.Before(earliest) {", "if at.IsZero() {"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "a segment ends without a full poll", file: "internal/collect/plan.go",
		edits: []edit{{"result.Complete && result.Poll.Kind == PollFull &&", "result.Complete &&"}},
		pkg:   inCollect, tests: []string{"TestSegmentIsDone"},
	},
	{
		name: "a cut poll begins again from its start", file: "internal/collect/plan.go",
		edits: []edit{{"next.At, next.After = at, prev.Resume", "next.At = at"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "late files are not looked for", file: "internal/collect/plan.go",
		edits: []edit{{"at.Sub(prev.LastDeep) >= deepInterval", "at.Sub(prev.LastDeep) >= 100*deepInterval"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "a stored cursor that is too late is kept", file: "internal/collect/plan.go",
		edits: []edit{{"case tooLate(seg.Segment, clocks):", "case tooLate(seg.Segment, clocks) && set.Replay:"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "the later clock decides", file: "internal/collect/clocks.go",
		edits: []edit{{"r.Server.Before(r.Local)", "r.Local.Before(r.Server)"}},
		pkg:   inCollect, tests: []string{"TestClocks"},
	},
	{
		name: "one clock alone makes a gap", file: "internal/collect/clocks.go",
		edits: []edit{{"case one && other:", "case one || other:"}},
		pkg:   inCollect, tests: []string{"TestAgreeOn"},
	},
	{
		name: "a slow clock makes times implausible", file: "internal/collect/clocks.go",
		edits: []edit{{"end.After(laterOf(r).Add(implausibleAfter))", "end.After(earlierOf(r).Add(implausibleAfter))"}},
		pkg:   inCollect, tests: []string{"TestPlausible"},
	},
	{
		name: "one answer makes the alarm of the clocks", file: "internal/collect/clocks.go",
		edits: []edit{{"s.answers < skewAnswers || (!s.alarming", "s.answers < 1 || (s.alarming"}},
		pkg:   inCollect, tests: []string{"TestSkewAlarm"},
	},
	{
		name: "a suspected gap is reported at once", file: "internal/collect/gap.go",
		edits: []edit{{"advanced(gap.Since, l.clocks) < suspicionLasts", "advanced(gap.Since, l.clocks) < 0"}},
		pkg:   inSim, tests: []string{"TestFaultSuspectedGap"},
	},
	{
		name: "no file can be had and all are quarantined", file: "internal/collect/hold.go",
		edits: []edit{{"const holdAfter = 8", "const holdAfter = 8000"}},
		pkg:   inSim, tests: []string{"TestFaultNoFileCanBeHad"},
	},
	{
		name: "one odd time blames the clocks", file: "internal/collect/lister.go",
		edits: []edit{{"return odd >= 3 && 2*odd > len(entries)", "return odd > 0"}},
		pkg:   inCollect, tests: []string{"TestClocksAtFault"},
	},
	{
		name: "an odd entry is left out", file: "internal/collect/lister.go",
		edits: []edit{{`s.noteOddEntry("fault", entry)`, "s.noteOddEntry(\"fault\", entry)\n\t\treturn file, false, nil"}},
		pkg:   inSim, tests: []string{"TestFaultOddEntry"},
	},
	{
		name: "the floor comes from the later clock", file: "internal/collect/firstrun.go",
		edits: []edit{{"earlierTime(first.Clock, earlierOf(clocks))", "laterOf(clocks)"}},
		pkg:   inSim, tests: []string{"TestFaultOwnClockAheadAtFirstStart"},
	},
	{
		name: "a redirect fault is no file's own", file: "internal/collect/classify.go",
		edits: []edit{{`fault.Label, fault.Hint = "redirect"`, `fault.Scope, fault.Retry, fault.Label, fault.Hint = ScopeType, RetryNextPoll, "redirect"`}},
		pkg:   inSim, tests: []string{"TestFaultRedirect"},
	},
	{
		name: "a host has one try in a poll", file: "internal/collect/prefetch.go",
		edits: []edit{{"const fetchTries = 3", "const fetchTries = 1"}},
		pkg:   inCollect, tests: []string{"TestRequesterDecides"},
	},
	{
		name: "a file that is still listed has expired", file: "internal/collect/retryqueue.go",
		edits: []edit{{"expiredAt(entry, s.deps.Clocks.Read()) && q.isUnlisted(ctx, entry)", "expiredAt(entry, s.deps.Clocks.Read())"}},
		pkg:   inCollect, tests: []string{"TestExpiryNeedsAListing"},
	},
	{
		name: "one entry without an id blames the type", file: "internal/collect/lister.go",
		edits: []edit{{"return len(entries) >= 3", "return len(entries) >= 1"}},
		pkg:   inCollect, tests: []string{"TestNoneIdentified"},
	},
	{
		name: "a batch holds an event twice", file: "internal/collect/batch.go",
		edits: []edit{{"if same || inBatch[of.event] {", "if same {"}},
		pkg:   inCollect, tests: []string{"TestRepetitionWithinABatch"},
	},
	{
		name: "Retry-After is ignored", file: "internal/collect/requests.go",
		edits: []edit{
			{"return max(min(fault.Pause.For, s.set.Fetch.MaxRetryAfter), fault.Pause.Waiting)", "return fault.Pause.Waiting"},
			{"pause := min(fault.Pause.For, s.set.Fetch.MaxRetryAfter)\n", "pause := time.Duration(0)\n"},
		},
		pkg: inCollect, tests: []string{"TestRetryAfterPausesAllStreams", "TestRetryAfterPausesOneRoute"},
	},
	{
		name: "a host's pause holds all downloads", file: "internal/collect/requests.go",
		edits: []edit{{"s.deps.Hosts.Pause(fault.Pause.Host, pause)", "s.deps.Hosts.Pause(fault.Pause.Host, pause)\n\t\t\ts.deps.Downloads.Pause(pause)"}},
		pkg:   inCollect, tests: []string{"TestHostPauseIsForOneHost"},
	},
	{
		name: "two fetches at once verify each other", file: "internal/collect/verify.go",
		edits: []edit{{"time.Since(before.at) >= v.apart", "time.Since(before.at) >= 0"}},
		pkg:   inCollect, tests: []string{"TestVerifier"},
	},
	{
		name: "fetches verify each other within a hold", file: "internal/collect/stream.go",
		edits: []edit{{"Unverified: 5 * time.Minute", "Unverified: 0"}},
		pkg:   inSim, tests: []string{"TestFaultSameBytesTwice"},
	},
	{
		name: "a failed write of the checkpoint is not retried", file: "internal/collect/stream.go",
		edits: []edit{{"if wait.Sleep(ctx, pause) != nil {", "if pause > 0 {"}},
		pkg:   inCollect, tests: []string{"TestStoreIsRetried"},
	},
	{
		name: "lines are offered one by one", file: "internal/collect/transfer.go",
		edits: []edit{{"(*lines).next(s.set.Batch.MaxRecords, maxBytes)", "(*lines).next(min(1, s.set.Batch.MaxRecords), maxBytes)"}},
		pkg:   inCollect, tests: []string{"TestTransferInBatches"},
	},
	{
		name: "rejected lines are retried one by one", file: "internal/collect/retryqueue.go",
		edits: []edit{{"lines, size, failed = lines[n:], 4*n, 0", "lines, size, failed = lines[n:], n, 0"}},
		pkg:   inCollect, tests: []string{"TestRetryOfLinesInBatches"},
	},
	{
		name: "a wrong entry is never listed again", file: "internal/collect/retryqueue.go",
		edits: []edit{{"\tentry = q.relisted(ctx, entry)\n", ""}},
		pkg:   inSim, tests: []string{"TestFaultWrongEntryInHistory"},
	},
	{
		name: "two workers try one quarantined file", file: "internal/collect/claims.go",
		edits: []edit{{"if other, taken := c.by[fileID]; taken {\n\t\treturn other == by\n\t}\n", ""}},
		pkg:   inSim, tests: []string{"TestFaultNoFileCanBeHadOfTwoSegments"},
	},
	{
		name: "files of history with an odd time are left to live", file: "internal/collect/lister.go",
		edits: []edit{{"case odd && !s.claims.take(entry.ID, turnOf(l.part)):", "case odd && (l.part != checkpoint.Live || !s.claims.take(entry.ID, turnOf(l.part))):"}},
		pkg:   inSim, tests: []string{"TestFaultImplausibleEndTimeInHistory"},
	},
	{
		name: "a regular poll forgets a file with an odd time", file: "internal/checkpoint/completed.go",
		edits: []edit{{"\td.complete(fileID, now)\n\tif len(d.Implausible) < maxImplausible {", "\tif len(d.Implausible) < maxImplausible {"}},
		pkg:   inCheckpoint, tests: []string{"TestImplausibleTime"},
	},
	{
		name: "a confirmed gap ends where a wrong clock said", file: "internal/collect/gap.go",
		edits: []edit{
			{"return l.passGap(ctx, gap.From, forgotten(earlierOf(l.clocks), seg), record.GapRetention)", "return l.passGap(ctx, gap.From, gap.To, record.GapRetention)"},
			{"\tseg, _ := s.checkpoint.Segment(l.part)\n\treturn l.passGap", "\treturn l.passGap"},
		},
		pkg: inSim, tests: []string{"TestFaultSuspectedGapIsConfirmedLater"},
	},
	{
		name: "a right cursor is corrected too", file: "internal/collect/plan.go",
		edits: []edit{{"poll.Usual = notBefore(earlierTime(poll.Base, poll.Usual), seg.From)", "poll.Usual = notBefore(laterOf(clocks).Add(-deepRange), seg.From)"}},
		pkg:   inCollect, tests: []string{"TestPlanPoll"},
	},
	{
		name: "stored times are corrected before an answer", file: "internal/collect/segment.go",
		edits: []edit{{"if !tooLate(seg, r.lister.clocks) {", "if seg.Cursor.IsZero() {"}},
		pkg:   inSim, tests: []string{"TestFaultOwnClockBehindAtStart"},
	},
	{
		name: "history never gets a turn", file: "internal/limit/queue.go",
		edits: []edit{{"since.history >= historyShare-1", "since.history < 0"}},
		pkg:   inLimit, tests: []string{"TestDownloadsHistoryShare"},
	},
	{
		name: "the retry queue never gets a turn", file: "internal/limit/queue.go",
		edits: []edit{{"since.retry >= retryShare-1", "since.retry < 0"}},
		pkg:   inLimit, tests: []string{"TestDownloadsRetryShare"},
	},
	{
		name: "a later file is downloaded first", file: "internal/limit/queue.go",
		edits: []edit{{"t.request.After != nil && t.request.After.waits", "t.request.After != nil && !t.waits"}},
		pkg:   inLimit, tests: []string{"TestDownloadsOrderByAfter"},
	},
	{
		name: "downloads without room in memory", file: "internal/limit/downloads.go",
		edits: []edit{{"lacking > 0", "lacking > d.memoryLimit"}},
		pkg:   inLimit, tests: []string{"TestDownloadsMemory"},
	},
	{
		name: "memory is taken from who makes progress", file: "internal/limit/grant.go",
		edits: []edit{{"case !at.After(now):", "case !at.IsZero():"}},
		pkg:   inLimit, tests: []string{"TestEviction"},
	},
	{
		name: "memory is taken from the nearest delivery", file: "internal/limit/grant.go",
		edits: []edit{{"cmp.Compare(b.turn, a.turn)", "cmp.Compare(a.turn, b.turn)"}},
		pkg:   inLimit, tests: []string{"TestChooseVictims"},
	},
	{
		name: "memory is free before it is let go", file: "internal/limit/grant.go",
		edits: []edit{
			{"d.evicting += bytes\n\td.removeHeldLocked(g)", "d.memory += bytes\n\td.removeHeldLocked(g)"},
			{"d.evicting -= bytes\n\t\td.memory += bytes", "d.evicting -= 0"},
		},
		pkg: inLimit, tests: []string{"TestEvictionWaitsForDrop"},
	},
	{
		name: "a minute without slack", file: "internal/limit/rate.go",
		edits: []edit{{"const windowLength = time.Minute + time.Second", "const windowLength = time.Minute - time.Second"}},
		pkg:   inLimit, tests: []string{"TestDownloadsRate", "TestRateSlidingWindow"},
	},
	{
		name: "a learned limit counts the 429", file: "internal/limit/learned.go",
		edits: []edit{{"min(l.limit, max(lowestLearned, last.begun-last.rejected))", "min(l.limit, max(lowestLearned, last.begun))"}},
		pkg:   inLimit, tests: []string{"TestLowered"},
	},
	{
		name: "a host's pause is for all hosts", file: "internal/limit/hosts.go",
		edits: []edit{{"until, ok := h.until[host]", "var until time.Time\n\tok := false\n\tfor _, at := range h.until {\n\t\tuntil, ok = at, true\n\t}"}},
		pkg:   inLimit, tests: []string{"TestHostsPause"},
	},
	{
		name: "the next page begins at the last one's very end", file: "internal/compliance/pager.go",
		edits: []edit{{"p.askFrom(end.Add(-tick))", "p.askFrom(end)"}},
		pkg:   inCompliance, tests: []string{"TestPagerListsEveryFileOnce"},
	},
	{
		name: "has_more alone is trusted", file: "internal/compliance/pager.go",
		edits: []edit{{"!page.HasMore && page.Listed < PageLimit", "!page.HasMore"}},
		pkg:   inCompliance, tests: []string{"TestPagerWithLiesAboutMore"},
	},
	{
		name: "a page with nothing new ends the listing", file: "internal/compliance/pager.go",
		edits: []edit{{"case !p.exact:", "case !p.exact && tied:"}},
		pkg:   inCompliance, tests: []string{"TestPagerGoesOnAfterAskingVerbatim"},
	},
	{
		name: "files of one end_time are not reported", file: "internal/compliance/pager.go",
		edits: []edit{{"if tied && !end.Equal(p.ties) {", "if tied && end.Equal(p.ties) {"}},
		pkg:   inCompliance, tests: []string{"TestPagerTellsEachTies"},
	},
	{
		name: "a body is read without a bound", file: "internal/compliance/body.go",
		edits: []edit{{"readUpTo(buffered, room, limit)", "readUpTo(buffered, room, 1000*limit)"}},
		pkg:   inCompliance, tests: []string{"TestDownloadBoundsTheBody"},
	},
	{
		name: "a body is inflated without a bound", file: "internal/compliance/body.go",
		edits: []edit{{"readUpTo(r, room, limit)", "readUpTo(r, room, 10*limit)"}},
		pkg:   inCompliance, tests: []string{"TestDownloadStopsABomb"},
	},
	{
		name: "the digest is not compared", file: "internal/compliance/body.go",
		edits: []edit{{"(content.SHA256 == file.SHA256 || ofSent)", `(content.SHA256 != "" || ofSent)`}},
		pkg:   inCompliance, tests: []string{"TestDownloadVerifies"},
	},
	{
		name: "the end of the connection counts as the file's", file: "internal/compliance/body.go",
		edits: []edit{
			{"if errors.Is(err, io.EOF) {\n\t\t\treturn content", "if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {\n\t\t\treturn content"},
			{"(content.SHA256 == file.SHA256 || ofSent)", `(content.SHA256 != "" || ofSent)`},
			{"(size == file.Size && !b.more)", "(size <= file.Size && !b.more)"},
		},
		pkg: inCompliance, tests: []string{"TestDownloadRefusesEveryCut"},
	},
	{
		name: "the key is sent to the host of the signed URL", file: "internal/compliance/download.go",
		edits: []edit{{"req.Header.Set(\"Accept-Encoding\", \"identity\")\n", "req.Header.Set(\"Accept-Encoding\", \"identity\")\n\tkey, _ := c.Key.Key()\n\treq.Header.Set(\"Authorization\", \"Bearer \"+key)\n"}},
		pkg:   inCompliance, tests: []string{"TestRedirectsCarryNoCredentials"},
	},
	{
		name: "allowed_hosts is ignored", file: "internal/compliance/redirect.go",
		edits: []edit{{"len(p.AllowedHosts) > 0 && !p.allowed(host)", `len(p.AllowedHosts) > 0 && host == ""`}},
		pkg:   inCompliance, tests: []string{"TestPolicyOnHosts"},
	},
	{
		name: "any address is dialed", file: "internal/compliance/signed.go",
		edits: []edit{{"p.CheckAddress(at.Addr())", `p.CheckAddress(netip.AddrFrom4([4]byte{8, 8, 8, byte(at.Port())}))`}},
		pkg:   inCompliance, tests: []string{"TestNameResolution"},
	},
	{
		name: "a loopback endpoint opens private networks", file: "internal/compliance/redirect.go",
		edits: []edit{{"found.reach == reachLoopback && p.Loopback", "found.reach != reachNever && p.Loopback"}},
		pkg:   inCompliance, tests: []string{"TestPolicyOnHosts"},
	},
	{
		name: "a number is a host name", file: "internal/compliance/redirect.go",
		edits: []edit{{"case isNumericLabel(last):", "case isNumericLabel(last) && len(last) > 100:"}},
		pkg:   inCompliance, tests: []string{"TestPolicyOnHosts"},
	},
	{
		name: "any request id is kept", file: "internal/compliance/errors.go",
		edits: []edit{{"!requestIDForm.MatchString(id)", "id == requestIDForm.String()"}},
		pkg:   inCompliance, tests: []string{"TestRequestIDs"},
	},
	{
		name: "a connection to a signed host is kept", file: "internal/compliance/download.go",
		edits: []edit{{"req.Close = true", "req.Close = false"}},
		pkg:   inCompliance, tests: []string{"TestStrayBytesAreNotLogged"},
	},
	{
		name: "the key file is read for each request", file: "internal/compliance/keyfile.go",
		edits: []edit{{"if f.key != \"\" {", "if len(f.key) > maxKeyFile {"}},
		pkg:   inCompliance, tests: []string{"TestKeyFileIsReadForEveryPoll"},
	},
	{
		name: "an odd value is quoted, whatever it is", file: "internal/secret/secret.go",
		edits: []edit{{"if Looks(value) {", "if Looks(value) && value == \"\" {"}},
		pkg:   inSecret, tests: []string{"TestConceal"},
	},
	{
		name: "a paused host is asked", file: "internal/compliance/download.go",
		edits: []edit{{"if err = c.allowFetch(at); err != nil {", "if err = c.allowFetch(at); hop < 0 {"}},
		pkg:   inCompliance, tests: []string{"TestAllowFetchIsAsked"},
	},
	{
		name: "Retry-After counts with any status", file: "internal/compliance/errors.go",
		edits: []edit{{"resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable", "resp.StatusCode >= http.StatusBadRequest"}},
		pkg:   inCompliance, tests: []string{"TestRetryAfterOfOtherStatuses"},
	},
	{
		name: "an id may be of any length", file: "internal/compliance/entry.go",
		edits: []edit{{"case len(id) > maxID:", "case len(id) > 1000*maxID:"}},
		pkg:   inCompliance, tests: []string{"TestEntriesWithoutUsableID"},
	},
	{
		name: "flapping is not damped", file: "internal/status/causes.go",
		edits: []edit{{"if len(c.changes) <= flapChanges {", "if len(c.changes) <= 1000*flapChanges {"}},
		pkg:   inStatus, tests: []string{"TestFlappingIsDamped"},
	},
	{
		name: "one type that fails degrades the component", file: "internal/status/tracker.go",
		edits: []edit{{"if kind == KindPoll && !polls {", `if kind == KindPoll && !polls && name == "" {`}},
		pkg:   inStatus, tests: []string{"TestPollTroubleOfAllTypesDegrades"},
	},
	{
		name: "a duplicate counts as delivered", file: "internal/collect/tally.go",
		edits: []edit{{"			outcome = lineDuplicate\n", "			outcome = lineDelivered\n"}},
		pkg:   inSim, tests: []string{"TestDigestsOfOddRecords"},
	},
	{
		name: "a digest is cut while one is pending", file: "internal/collect/digests.go",
		edits: []edit{{`case at.Pending != "":
			d.deliver(ctx, at)
		case at.Full > 0 || pause <= 0:`, `case at.Pending != "" && pause > 0:
			d.deliver(ctx, at)
		case at.Full > 0 || pause <= 0:`}},
		pkg: inSim, tests: []string{"TestDigestIsNeverGivenUp"},
	},
	{
		name: "one file that differs is the meaning of digests", file: "internal/collect/contact.go",
		edits: []edit{{"len(c.files) < contactFiles {", "len(c.files) < 1 {"}},
		pkg:   inReceiver, tests: []string{"TestFirstContactHoldsAllTypes"},
	},
	{
		name: "a quiet type is asked for in every poll", file: "internal/collect/freshness.go",
		edits: []edit{{"g.fresh.next = now.Add(quietAfter)", "g.fresh.next = now"}},
		pkg:   inReceiver, tests: []string{"TestNewestRecordOfQuietType"},
	},
	{
		name: "records are not missed", file: "internal/digest/check.go",
		edits: []edit{{"case held < want:", "case held < 0:"}},
		pkg:   inDigest, tests: []string{"TestTampering"},
	},
}
