package plaincall

import (
	"runtime"
	"time"
)

// patience decides whether to look for a response again and again before waiting for it, by what came of it before. To
// wait is to let the processor sleep, and to be woken takes longer than a small call does.
type patience struct{ inVain, passedOver int }

const (
	// lookFor is how long to look: a small hook in Python takes some 50 µs, and it takes in all answers that came
	// together before it calls again.
	lookFor = 200 * time.Microsecond
	// lookForOne is how long to look for the next call of a client that makes one at a time: in longer both would go on
	// to share a processor, each giving way to the other.
	lookForOne = 80 * time.Microsecond
	// So many times in vain, and it is tried only once in so many times.
	inVain     = 8
	nowAndThen = 64
)

// oneProcessor tells whether the process keeps to one processor. The runtime takes a lock to say so, so that who asks
// often keeps the answer.
func oneProcessor() bool { return runtime.GOMAXPROCS(0) < 2 }

// wantsToLook tells whether to look this time.
func (p *patience) wantsToLook() bool {
	if !canGiveWay && oneProcessor() {
		return false // it may keep the plugin from doing what is waited for
	}
	if p.inVain < inVain {
		return true
	}
	p.passedOver = (p.passedOver + 1) % nowAndThen
	return p.passedOver == 0
}

// learn takes in what came of looking.
func (p *patience) learn(found bool) {
	if found {
		p.inVain = 0
	} else {
		p.inVain++
	}
}
