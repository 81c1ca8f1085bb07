package plaincall

import (
	"runtime"
	"time"
)

// patience decides whether to look for a response again and again before waiting for it, by what came of it before. To
// wait is to let the processor sleep, and to be woken takes longer than a small call does.
type patience struct{ inVain, passedOver int }

const (
	// lookFor is how long to look: a small hook in Python takes some 50 µs.
	lookFor = 80 * time.Microsecond
	// The same for the next call where several came together of late: Python takes in all answers before it calls again.
	lookForMany = 200 * time.Microsecond
	// So many times in vain, and it is tried only once in so many times.
	inVain     = 8
	nowAndThen = 64
)

// wantsToLook tells whether to look this time.
func (p *patience) wantsToLook() bool {
	if runtime.GOMAXPROCS(0) < 2 {
		return false // it would keep the plugin from doing what is waited for
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
