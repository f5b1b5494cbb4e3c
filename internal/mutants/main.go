// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	root := flag.String("root", ".", "root of the module")
	only := flag.String("only", "", "part of the name of the mutants to run")
	workers := flag.Int("workers", 2, "mutants at a time")
	flag.Parse()
	chosen := slices.DeleteFunc(slices.Clone(table), func(m mutant) bool { return !strings.Contains(m.name, *only) })
	if err := run(*root, chosen, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tries all mutants, prints a line for each in the table's order, and
// returns an error unless every one was caught.
func run(root string, mutants []mutant, workers int) error {
	if len(mutants) == 0 {
		return errors.New("no mutant of that name")
	}
	if err := sound(root, mutants); err != nil {
		return err
	}
	verdicts := make([]chan verdict, len(mutants))
	free := make(chan struct{}, workers)
	var running sync.WaitGroup
	for i, m := range mutants {
		verdicts[i] = make(chan verdict, 1)
		running.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			began := time.Now()
			err := try(root, m)
			verdicts[i] <- verdict{err, time.Since(began)}
		})
	}
	caught := 0
	for i, m := range mutants {
		v := <-verdicts[i]
		if v.err != nil {
			fmt.Printf("ESCAPED  %-42s %s: %v\n", m.name, m.file, v.err)
			continue
		}
		caught++
		fmt.Printf("caught   %-42s %-32s by %s, %.1f s\n", m.name, m.file, strings.Join(m.tests, ", "), v.took.Seconds())
	}
	running.Wait()
	fmt.Printf("%d of %d mutants caught\n", caught, len(mutants))
	if caught < len(mutants) {
		return fmt.Errorf("%d of %d mutants were not caught", len(mutants)-caught, len(mutants))
	}
	return nil
}

type verdict struct {
	err  error
	took time.Duration
}
