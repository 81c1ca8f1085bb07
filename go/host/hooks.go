package host

import (
	"context"
	"errors"
	"time"

	"github.com/mattermost/mattermost/server/public/plugin"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/service"
)

// stopGrace is how long a deactivated process may take to shut down. A Mattermost server waits for OnDeactivate
// for 10 s, which the hook itself may use up.
const stopGrace = 5 * time.Second

// Hooks are the plugin.Hooks of a supervised plugin. With SetAPI and SetDriver they are also what plugin.ClientMain
// takes for a plugin written in Go.
type Hooks struct {
	*service.HooksClient
	plugin *Plugin
}

// Implemented returns the hooks that the plugin implements, once it has started.
func (h *Hooks) Implemented() ([]string, error) { return h.plugin.Implemented() }

// SetAPI sets what the plugin may call once it is activated.
func (h *Hooks) SetAPI(api plugin.API) {
	h.plugin.lock.Lock()
	defer h.plugin.lock.Unlock()
	h.plugin.api = api
}

// SetDriver sets the database driver that the plugin may call once it is activated.
func (h *Hooks) SetDriver(driver plugin.Driver) {
	h.plugin.lock.Lock()
	defer h.plugin.lock.Unlock()
	h.plugin.driver = driver
}

// OnActivate activates the plugin. From then on its process is restarted when it dies.
func (h *Hooks) OnActivate() error { return h.plugin.Activate() }

// OnDeactivate lets the plugin clean up and stops its process.
func (h *Hooks) OnDeactivate() error { return h.plugin.Deactivate() }

// OnDeactivateWithRPCErr is OnDeactivate that tells an error of the hook from that of a call that failed.
func (h *Hooks) OnDeactivateWithRPCErr() (hook, call error) { return splitFailure(h.OnDeactivate()) }

// splitFailure says whether an error is the hook's own or that of a call which did not come back.
func splitFailure(err error) (hook, call error) {
	var failed *service.HookError
	if errors.As(err, &failed) || errors.Is(err, ErrExited) {
		return nil, err
	}
	return err, nil
}

// Activate waits for Start and activates the plugin.
func (p *Plugin) Activate() error {
	if _, err := p.Implemented(); err != nil {
		return err
	}
	if err := p.activate(); err != nil {
		// A server that hears of it closes the connection at once, and what is open in its database could not be given
		// back any more.
		p.current().giveBack()
		return err
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.ctx.Err() != nil {
		return ErrStopped
	}
	if !p.activated {
		p.activated = true
		p.state.Phase, p.state.Since = Running, p.cfg.clock.now()
		p.router.up(p.process.conn)
		p.supervising.Go(p.supervise)
	}
	return nil
}

// Deactivate calls OnDeactivate of an active plugin that implements it, and stops the process. Further calls wait
// for the first and return its error.
func (p *Plugin) Deactivate() error {
	err := p.retire()
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	p.Stop(ctx)
	return err
}

// retire calls OnDeactivate of an active plugin that implements it, and leaves the process to Stop. Further calls wait
// for the first and return its error.
func (p *Plugin) retire() error {
	p.deactivateOnce.Do(func() {
		p.cancel() // a process that dies from here on is not replaced
		// A process that is being replaced has nothing to clean up yet.
		if p.router.live.Load() != nil {
			p.deactivateErr = p.explainDeactivate(p.client.OnDeactivate())
		}
	})
	return p.deactivateErr
}

// explainDeactivate says what became of OnDeactivate if the process ended instead of answering. One that ended well was
// told to by someone else, as when a service manager ends all processes of a server, and has cleaned up by itself.
func (p *Plugin) explainDeactivate(err error) error {
	current := p.current()
	ended := current.endedInstead(err, "during OnDeactivate")
	if ended == nil {
		return err
	}
	if current.runner.Succeeded() {
		return nil
	}
	return ended
}
