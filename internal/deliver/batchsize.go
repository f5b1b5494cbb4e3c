// Copyright The OpenTelemetry Authors
// SPDX-License-Identifier: Apache-2.0

package deliver

const (
	// minLearnedBytes is the least bound for batches that is learned.
	minLearnedBytes = 64 << 10
	// raiseAfter is how many batches accepted as one double the bound.
	raiseAfter = 50
)

// sizeProof is what the answers to one batch say of its size: it is too large when
// its parts were all accepted, down to every single record that was offered alone.
type sizeProof struct {
	sizes   []int // bytes of each record
	largest int   // bytes of the largest accepted part
	split   bool
	spoiled bool // a single record was rejected, or the stream was held
}

func (p *sizeProof) accepted(indexes []int, sent int) {
	if sent == len(indexes) { // else less was sent than the sizes say
		p.largest = max(p.largest, p.bytes(indexes))
	}
}

func (p *sizeProof) bytes(indexes []int) int {
	sum := 0
	for _, i := range indexes {
		sum += p.sizes[i]
	}
	return sum
}

func (p *sizeProof) total() int {
	sum := 0
	for _, size := range p.sizes {
		sum += size
	}
	return sum
}

// learnedSize is a bound for batches that the rejection of a larger one taught.
type learnedSize struct {
	bytes    int // 0 for none
	original int // bytes of the largest rejected batch since there is a bound
	batches  int // accepted as one since bytes changed
}

// learn lowers the bound after a settled batch. It returns the new one, 0 when the
// batch teaches none.
func (l *learnedSize) learn(p sizeProof) int {
	if !p.split || p.spoiled || p.largest == 0 {
		return 0
	}
	total := p.total()
	bound := max(p.largest, minLearnedBytes)
	if bound >= total {
		return 0
	}
	*l = learnedSize{bytes: bound, original: max(l.original, total)}
	return bound
}

// batchAccepted counts a batch that was accepted as one. A bound above the
// original batch is none.
func (l *learnedSize) batchAccepted() {
	if l.bytes == 0 {
		return
	}
	if l.batches++; l.batches < raiseAfter {
		return
	}
	l.bytes, l.batches = 2*l.bytes, 0
	if l.bytes > l.original {
		*l = learnedSize{}
	}
}
