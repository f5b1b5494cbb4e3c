// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

// Package ui looks at make demo-ui as a user does: it runs the program, opens the
// page that it prints in a browser, and asks the database what it holds.
package ui

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// The page that the demo prints shows records in a browser; the database holds
// every record that the simulated API exports exactly once; Ctrl-C ends it all
// and leaves nothing behind.
func TestDemoUI(t *testing.T) {
	d := startDemo(t)
	api := d.await(`Simulated API +(\S+)`)
	base := d.await(`Log database +(\S+)/select/vmui/`)
	d.await(`all \d+ records that the API has exported so far are in the database, 0 of them twice`)

	t.Run("each record once", func(t *testing.T) {
		var want map[string]bool
		var stored map[string]int
		require.Eventually(t, func() bool { // files come for five seconds
			want, stored = exported(t, api), storedUIDs(t, base)
			return len(stored) >= len(want)
		}, time.Minute, time.Second)
		require.Greater(t, len(want), 10_000)
		for uid := range want {
			if stored[uid] != 1 {
				t.Errorf("record %s is stored %d times", uid, stored[uid])
			}
		}
		assert.Len(t, stored, len(want), "the database holds what was never exported")
	})
	t.Run("browser", func(t *testing.T) {
		text, picture := look(t, findBrowser(t), d.await(`failed sign-ins\n.*\n +(\S+)`))
		assert.Regexp(t, `password_login_(invalid_password|sentinel_blocked)`, text)
		assert.Regexp(t, `\w+@example\.com`, text)
		assert.Regexp(t, `203\.0\.113\.\d+`, text)
		assert.NotContains(t, text, "login_success")
		require.NoError(t, os.WriteFile(filepath.Join(root, "_build/demo-ui.png"), picture, 0o644))
	})
	t.Run("queries", func(t *testing.T) {
		text, _, ok := strings.Cut(d.text(), "\nDetections ")
		require.True(t, ok)
		links := pageLink.FindAllString(text, -1)
		require.Len(t, links, 4)
		for _, link := range links {
			assert.NotEmpty(t, query(t, base, queryOf(t, link)), link)
		}
	})
	t.Run("detections", func(t *testing.T) {
		_, text, ok := strings.Cut(d.text(), "\nDetections ")
		require.True(t, ok)
		rows := regexp.MustCompile(`\n  (\S.*)\n +(\S+)`).FindAllStringSubmatch(text, -1)
		require.Greater(t, len(rows), 10)
		found := map[string]bool{}
		for _, row := range rows {
			if len(query(t, base, queryOf(t, row[2]))) > 0 {
				found[row[1]] = true
			}
		}
		delete(found, "Failed Sign-Ins of Many Users From One Address") // invented by chance
		assert.Equal(t, detected, found)
	})
	d.stop(base)
}

var pageLink = regexp.MustCompile(`http\S+#/\?\S+`)

// detected are the rules that fire on what the simulated API invents. It invents nothing
// that the others look for.
var detected = map[string]bool{
	"Admin or Owner Role Granted in ChatGPT Workspace":             true,
	"Burst of Failed Sign-Ins for One User":                        true,
	"Compliance Log Files Read With Another Key":                   true,
	"Failed Sign-In to ChatGPT":                                    true,
	"IP Allow-List of ChatGPT Workspace or Compliance API Changed": true,
	"Sign-In to ChatGPT From an Unusual Country":                   true,
}

// findBrowser names the browser to use.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser: chromium is not installed (scripts/ci-packages.sh installs it)")
	return ""
}

// look opens the address and returns the text and the picture of the page once it
// shows records.
func look(t *testing.T, browser, address string) (text string, picture []byte) {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(browser), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1400, 900),
		chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Navigate(address))
	require.NoError(t, err)
	_, err = chromedp.Run(ctx, chromedp.Poll[bool](`document.body.innerText.includes("@example.com")`, chromedp.WithPollingTimeout(60*time.Second)))
	require.NoError(t, err, "the page shows no record")
	text, err = chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	require.NoError(t, err)
	picture, err = chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	return text, picture
}

// demo is the running program.
type demo struct {
	t   *testing.T
	cmd *exec.Cmd
	dir string

	mu  sync.Mutex // guards out
	out bytes.Buffer
}

// startDemo runs the program as make demo-ui does, but for the address and for
// files that stop coming after a few seconds.
func startDemo(t *testing.T) *demo {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	d := &demo{t: t, dir: t.TempDir()}
	d.cmd = exec.Command(filepath.Join(root, "_build/demo-ui"), "-addr", addr, "-live", "5s",
		"-collector", filepath.Join(root, "_build/otelcol-openai-compliance"), "-victoria-logs", filepath.Join(root, ".tools/victoria-logs"))
	d.cmd.Env = append(os.Environ(), "TMPDIR="+d.dir)
	d.cmd.Stdout, d.cmd.Stderr = d, d
	require.NoError(t, d.cmd.Start(), "make test-ui builds what this runs")
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	return d
}

// Write collects the output.
func (d *demo) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.Write(p)
}

func (d *demo) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.out.String()
}

// await waits until the output matches, and returns the first group.
func (d *demo) await(pattern string) string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	require.Eventually(d.t, func() bool {
		found = re.FindStringSubmatch(d.text())
		return found != nil
	}, 2*time.Minute, 50*time.Millisecond, "the demo prints no %q", pattern)
	return found[len(found)-1]
}

// stop interrupts it as Ctrl-C does.
func (d *demo) stop(base string) {
	d.t.Helper()
	require.NoError(d.t, d.cmd.Process.Signal(syscall.SIGINT))
	require.NoError(d.t, d.cmd.Wait(), d.text())
	left, err := os.ReadDir(d.dir)
	require.NoError(d.t, err)
	assert.Empty(d.t, left, "files stay behind")
	_, err = net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	assert.Error(d.t, err, "the database still runs")
}
