// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package collect

import (
	"sync"
	"time"

	"github.com/openaicompliance/openaicompliancereceiver/internal/compliance"
)

// How often the API is asked with a key that it denies: by one stream at a time.
const (
	deniedInterval     = 5 * time.Minute
	deniedLong         = time.Hour
	deniedLongInterval = 15 * time.Minute
)

// KeyGate keeps all streams from asking with a key that the API has denied with
// 401. It is safe for concurrent use.
type KeyGate struct {
	mu     sync.Mutex // guards everything below
	denied string     // the key, empty for none
	err    error      // the API's answer
	since  time.Time
	next   time.Time // when the next stream may ask
}

// mayAsk returns nil when a stream may ask the API with the key as it is now, else
// the answer that this key got last. It is called before each poll, and reads the key
// anew.
func (k *KeyGate) mayAsk(source compliance.KeySource) error {
	source.Refresh()
	key, err := source.Key()
	if err != nil { // the request itself reports it
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.denied == "" || key != k.denied {
		k.denied = ""
		return nil
	}
	now := time.Now()
	if now.Before(k.next) {
		return k.err
	}
	k.claimLocked(now)
	return nil
}

func (k *KeyGate) claimLocked(now time.Time) {
	interval := deniedInterval
	if now.Sub(k.since) >= deniedLong {
		interval = deniedLongInterval
	}
	k.next = now.Add(interval)
}

// answered takes the outcome of a request: whether the API denied the key.
func (k *KeyGate) answered(key string, denied bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch now := time.Now(); {
	case !denied:
		k.denied = ""
	case key != k.denied:
		k.denied, k.err, k.since = key, err, now
		k.claimLocked(now)
	default:
		k.err = err
	}
}
