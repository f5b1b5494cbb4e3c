// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package deliver hands batches to the next consumer until it accepts them or
// rejects them for good, and creates the Receipts that let a checkpoint move.
//
// A Consumer belongs to one stream, a Delivery to one batch. A Delivery says
// what to offer next and learns from the answer; its caller sleeps, takes the
// stream's Lock, deduplicates, offers and commits:
//
//	d := c.NewDelivery(sizes) // of records not known as duplicates when the batch is built
//	d.SetStoredAhead(len(ahead))
//	for step, ok := d.Next(); ok; step, ok = d.Next() {
//		if err := wait.Sleep(ctx, step.Wait); err != nil {
//			return err
//		}
//		if err := lock.Acquire(ctx, deliver.TurnLive); err != nil {
//			return err
//		}
//		first, ahead := d.Left(step)
//		receipt, err := d.Offer(calls, step, batch.call(step.Records, first, ahead)) // deduplicates
//		if _, settled := receipt.Part(); settled && err == nil {
//			err = checkpoint.Commit(calls, receipt, at)
//		}
//		lock.Release()
//		if err != nil {
//			return err
//		}
//	}
//
// A Delivery owns nothing: a caller may abandon it after any answer, as the retry
// queue does when Held is true.
package deliver
