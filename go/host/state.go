package host

import (
	"fmt"
	"time"
)

// Phase is what becomes of a plugin's process at the moment.
type Phase string

const (
	// Starting is from the beginning until the plugin is active.
	Starting Phase = "starting"
	// Running is while the process is there and active.
	Running Phase = "running"
	// Restarting is from the end of a process until another one is active.
	Restarting Phase = "restarting"
	// Stopped is the end: no process will be started any more.
	Stopped Phase = "stopped"
)

// State says how a plugin is, and why.
type State struct {
	Phase Phase
	// Since is when the phase began.
	Since time.Time
	// Reason is why the process is being restarted, or why the plugin did not start. nil: all is well.
	Reason error
	// Crashes is how many processes ended in a row.
	Crashes int
	// Next is when the next process is started. Zero: that is under way, or the phase is another one.
	Next time.Time
	// Restarts is how many processes were replaced since the plugin was activated.
	Restarts int
}

// String is one line for people; "" while all is well.
func (s State) String() string {
	if s.Phase != Restarting {
		return ""
	}
	line := fmt.Sprintf("The plugin is being restarted since %s, after %d crashes: %v", s.Since.UTC().Format(time.RFC3339), s.Crashes, s.Reason)
	if !s.Next.IsZero() {
		line += fmt.Sprintf(" (next attempt at %s)", s.Next.UTC().Format(time.RFC3339))
	}
	return line
}

// State returns how the plugin is.
func (p *Plugin) State() State {
	p.lock.Lock()
	defer p.lock.Unlock()
	return p.state
}

// enter begins a phase.
func (p *Plugin) enter(phase Phase) {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.state.Phase, p.state.Since = phase, p.cfg.clock.now()
}

// waitToRestart says that a process ended, or could not be started, and when the next one is tried.
func (p *Plugin) waitToRestart(reason error, crashes int, pause time.Duration) {
	p.lock.Lock()
	defer p.lock.Unlock()
	now := p.cfg.clock.now()
	if p.state.Phase != Restarting {
		p.state.Phase, p.state.Since = Restarting, now
	}
	p.state.Reason, p.state.Crashes, p.state.Next = reason, crashes, now.Add(pause)
}

// tryAgain says that the pause is over.
func (p *Plugin) tryAgain() {
	p.lock.Lock()
	defer p.lock.Unlock()
	p.state.Next = time.Time{}
}

// recovered says that the plugin is active again, and returns for how long it was not.
func (p *Plugin) recovered() time.Duration {
	p.lock.Lock()
	defer p.lock.Unlock()
	now := p.cfg.clock.now()
	away := now.Sub(p.state.Since)
	p.state = State{Phase: Running, Since: now, Crashes: p.state.Crashes, Restarts: p.state.Restarts + 1}
	return away
}

// longPause is how long a pause before a restart may be so that hooks wait for its end.
const longPause = 2 * time.Second

// pausing says that no process is there or being started for so long that no hook waits for it.
func (p *Plugin) pausing() bool {
	p.lock.Lock()
	next := p.state.Next
	p.lock.Unlock()
	return !next.IsZero() && next.Sub(p.cfg.clock.now()) > longPause
}
