package host

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// supervise waits for the end of the process and replaces it, until the plugin is stopped or given up.
func (p *Plugin) supervise() {
	crashes := 0
	for {
		p.lock.Lock()
		current := p.process
		p.lock.Unlock()
		select {
		case <-p.ctx.Done():
			return
		case <-current.exited():
		}
		p.router.down()
		if p.ctx.Err() != nil {
			return
		}
		lived := time.Since(current.started)
		if lived >= p.cfg.Restart.Stable {
			crashes = 0
		}
		crashes++
		err := current.ended(fmt.Sprintf("after %v", lived.Round(time.Millisecond)))
		current.clean()

		for err != nil {
			if crashes >= p.cfg.Restart.GiveUp {
				p.log.Error("The plugin process keeps crashing; giving up", "crashes", crashes, "error", err)
				p.finish(fmt.Errorf("gave up after %d crashes in a row: %w", crashes, err))
				return
			}
			pause := p.cfg.Restart.pause(crashes)
			p.log.Error("The plugin process ended unexpectedly and will be restarted", "error", err, "in", pause.String(), "crashes", crashes)
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(pause):
			}
			if err = p.replace(); err != nil {
				if p.ctx.Err() != nil {
					return
				}
				crashes++
			}
		}
		p.log.Info("The plugin process was restarted", "pid", p.PID(), "crashes", crashes)
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
	if err == nil {
		if !slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(implemented))) {
			p.log.Warn("The plugin implements other hooks since its restart; the server learns of it when the plugin is enabled again",
				"before", before, "now", implemented)
		}
		err = p.activate()
	}
	if err != nil {
		p.activating.Store(nil)
		p.router.down()
		started.killNow()
		started.clean()
		return err
	}
	p.router.up(started.conn)
	return nil
}
