package host

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// supervise waits for the end of the process and replaces it, until the plugin is stopped.
func (p *Plugin) supervise() {
	crashes, pause := 0, time.Duration(0)
	for {
		current, began := p.current(), p.cfg.clock.now()
		go p.probe(current)
		select {
		case <-p.ctx.Done():
			return
		case <-current.ended():
		}
		p.disconnect(current)
		if p.ctx.Err() != nil {
			return
		}
		<-current.exited()
		lived := p.cfg.clock.now().Sub(began)
		if lived >= max(p.cfg.Restart.Stable, pause) {
			crashes = 0
		}
		crashes++
		err := current.whyEnded(fmt.Sprintf("after %v", time.Since(current.started).Round(time.Millisecond)))
		current.clean()

		for err != nil {
			pause = p.cfg.Restart.pause(crashes)
			p.waitToRestart(err, crashes, pause)
			p.router.wake() // those that do not wait for so long
			p.log.Error("The plugin process ended unexpectedly and will be restarted", "error", err, "in", pause.String(), "crashes", crashes,
				"since", p.State().Since.UTC().Format(time.RFC3339))
			select {
			case <-p.ctx.Done():
				return
			case <-p.cfg.clock.after(pause):
			}
			p.tryAgain()
			if err = p.replace(); err != nil {
				if p.ctx.Err() != nil {
					return
				}
				crashes++
			}
		}
		away := p.recovered()
		p.log.Info("The plugin process was restarted", "pid", p.PID(), "crashes", crashes, "after", away.Round(time.Millisecond).String())
	}
}

// disconnect takes the hooks from a process that ended, and ends the calls that still wait for it.
func (p *Plugin) disconnect(ended *process) {
	p.router.down(ended.conn)
	ended.hangUp()
}

// watch disconnects a process as soon as it has ended, so that nothing waits for it whatever the plugin does.
func (p *Plugin) watch(started *process) {
	select {
	case <-started.ended():
		p.disconnect(started)
	case <-started.cleaned:
	}
}

// replace starts and activates a new process. The one that is replaced has ended.
func (p *Plugin) replace() error {
	started, err := startProcess(p.ctx, p.cfg, p.log)
	if err != nil {
		return err
	}
	if !p.adopt(started) {
		return ErrStopped
	}
	p.activating.Store(started)
	defer p.activating.Store(nil)
	// A plugin that is stopped now is not active yet and has nothing to clean up.
	defer context.AfterFunc(p.ctx, started.killNow)()
	before := p.implemented
	implemented, err := p.client.Implemented()
	if err != nil {
		err = p.explainImplemented(p.ctx, started, err)
	} else {
		if !slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(implemented))) {
			p.log.Warn("The plugin implements other hooks since its restart; the server learns of it when the plugin is enabled again",
				"before", before, "now", implemented)
		}
		err = p.activate()
	}
	if err != nil {
		p.activating.Store(nil)
		p.router.down(started.conn)
		started.killNow()
		started.clean()
		return err
	}
	p.router.up(started.conn)
	return nil
}
