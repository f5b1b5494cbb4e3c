// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Command demo shows the built collector at work: it serves a simulated API,
// runs the collector against it, prints records as they arrive, restarts the
// collector in the middle and checks at the end that each record came once.
package main

import (
	"cmp"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/cmd/internal/plainflag"
	"github.com/openaicompliance/openaicompliancereceiver/internal/fakeapi"
	"github.com/openaicompliance/openaicompliancereceiver/internal/testbed"
)

//go:embed collector.yaml
var config []byte

var errWrong = errors.New("the summary is not what it should be")

func main() {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	binary := flags.String("collector", "_build/otelcol-openai-compliance", "the collector that make build makes")
	err := plainflag.Parse(flags, os.Args[1:], os.Stdout)
	if err == nil {
		err = run(*binary)
	}
	os.Exit(plainflag.End("demo", err, os.Stderr))
}

// deadline bounds the demo; it takes a few seconds.
const deadline = 2 * time.Minute

func run(binary string) error {
	dir, err := os.MkdirTemp("", "openai-compliance-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	api, err := startAPI()
	if err != nil {
		return err
	}
	defer api.Close()
	screen := &screen{}
	sink := &testbed.Sink{OnRecord: screen.show}
	if err := sink.Start(); err != nil {
		return err
	}
	defer sink.Close()

	configFile := filepath.Join(dir, "collector.yaml")
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		return err
	}
	d := &demo{
		binary: binary, config: configFile, log: filepath.Join(dir, "collector.log"), api: api, sink: sink,
		env: []string{
			"DEMO_ENDPOINT=" + api.URL, "DEMO_SINK=" + sink.Endpoint, "DEMO_STORAGE=" + dir,
			"OPENAI_COMPLIANCE_API_KEY=" + fakeapi.DefaultKey, "OPENAI_WORKSPACE_ID=" + fakeapi.DefaultWorkspace,
		},
	}
	started := time.Now()
	if err := d.play(); err != nil {
		return fmt.Errorf("%w\n%s", err, d.tailOfLog())
	}
	took := time.Since(started)
	return errors.Join(d.summary(took), d.verify(dir))
}

// startAPI serves two minutes of files, one of each type every two seconds, and
// goes on for the first few seconds of the demo.
func startAPI() (*fakeapi.API, error) {
	api := fakeapi.New(fakeapi.Options{Seed: 7, Live: &fakeapi.Schedule{
		Types: types, Since: time.Now().Add(-2 * time.Minute), Every: 2 * time.Second, Records: 40, Late: 0.1,
		Stop: time.Now().Add(6 * time.Second),
	}})
	return api, api.Start("", "")
}

var types = []string{"AUTH_LOG", "AUDIT_LOG", "CODEX_LOG"}

type demo struct {
	binary, config, log string
	env                 []string
	api                 *fakeapi.API
	sink                *testbed.Sink
}

// play runs the collector until about half of the records have come, stops it,
// starts it again and waits for the rest.
func (d *demo) play() error {
	fmt.Printf("Simulated API at %s; the collector keeps its position in file_storage.\n\n", d.api.URL)
	collector, err := d.start()
	if err != nil {
		return err
	}
	defer func() {
		if collector != nil {
			collector.Kill() // does nothing to one that has ended
		}
	}()
	half := d.expected() / 2
	if err := d.await(collector, func() bool { return d.records() >= half }); err != nil {
		return err
	}
	fmt.Printf("\n--- the collector is stopped after %d records, and started again ---\n\n", d.records())
	if err := collector.Stop(); err != nil {
		return fmt.Errorf("stop the collector: %w", err)
	}
	if collector, err = d.start(); err != nil {
		return err
	}
	err = d.await(collector, func() bool {
		return time.Since(lastEnd(d.api)) > settle && d.records() >= d.expected()
	})
	// A little longer: what would come twice should show.
	time.Sleep(settle)
	return errors.Join(err, collector.Stop())
}

// settle is longer than the interval between two passes of the demo.
const settle = 3 * time.Second

func lastEnd(api *fakeapi.API) (end time.Time) {
	for _, file := range api.Files("") {
		if file.EndTime.After(end) {
			end = file.EndTime
		}
	}
	return end
}

func (d *demo) start() (*testbed.Collector, error) {
	collector, err := testbed.StartCollector(d.binary, d.config, d.log, d.env...)
	if err != nil {
		return nil, fmt.Errorf("start the collector: %w", err)
	}
	return collector, nil
}

func (d *demo) await(collector *testbed.Collector, done func() bool) error {
	for end := time.Now().Add(deadline); !done(); time.Sleep(50 * time.Millisecond) {
		if !collector.Running() {
			return errors.New("the collector ended by itself")
		}
		if time.Now().After(end) {
			return fmt.Errorf("not all records came within %v", deadline)
		}
	}
	return nil
}

// records counts what came, without digests.
func (d *demo) records() (n int) {
	for _, delivery := range d.sink.Deliveries() {
		if delivery.EventName != digestEvent {
			n++
		}
	}
	return n
}

func (d *demo) expected() int {
	n := 0
	for _, file := range d.api.Files("") {
		n += len(file.EventIDs)
	}
	return n
}

func (d *demo) tailOfLog() string {
	data, _ := os.ReadFile(d.log)
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

func (d *demo) summary(took time.Duration) error {
	files := d.api.Files("")
	var bytes int64
	for _, file := range files {
		bytes += file.Size
	}
	counts := d.sink.Counts()
	maps.DeleteFunc(counts, func(uid string, _ int) bool { return strings.HasPrefix(uid, "digest:") })
	result := testbed.Compare(fakeapi.Expected(files), counts)
	fmt.Printf(`
records expected   %d
records delivered  %d
lost               %d
doubled            %d
never exported     %d
files              %d
bytes              %d
seconds            %.1f
`, result.Expected, result.Delivered, len(result.Lost), len(result.Doubled), len(result.Alien), len(files), bytes, took.Seconds())
	if !result.OK() {
		return errWrong
	}
	return nil
}

// screen prints the first records of each type and every hundredth one.
type screen struct {
	mu    sync.Mutex
	count map[string]int
}

func (s *screen) show(d testbed.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	s.count[d.EventName]++
	if n := s.count[d.EventName]; n > 3 && n%200 != 0 {
		return
	}
	text := func(name string) string {
		value, _ := d.Attributes[name].(string)
		return value
	}
	if d.EventName == digestEvent {
		fmt.Printf("%s  %-28s number %v, SHA-256 %.16s…\n", d.Time.UTC().Format("15:04:05"), d.EventName,
			d.Attributes["openai.compliance.digest.number"], text("openai.compliance.digest.sha256"))
		return
	}
	fmt.Printf("%s  %-28s %-21s %-32s %-8s line %v of %s\n",
		d.Time.UTC().Format("15:04:05"), d.EventName, cmp.Or(text("user.email"), text("openai.compliance.actor.id"), "-"),
		cmp.Or(text("openai.compliance.action"), text("openai.compliance.event.subtype"), "-"),
		cmp.Or(text("openai.compliance.outcome"), "-"),
		d.Attributes["openai.compliance.file.line"], text("openai.compliance.file.id"))
}
