package host

import (
	"context"
	"time"

	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// probesPerTimeout is how often a process is probed within the time after which it counts as stuck.
const probesPerTimeout = 6

// probe kills an active process that answers nothing for too long, so that it is replaced. It returns when the process
// has ended, or is to.
func (p *Plugin) probe(current *process) {
	limit := p.cfg.Settings.StuckTimeout
	if limit <= 0 || current.runner == nil {
		return
	}
	interval := limit / probesPerTimeout
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	answered, answers := time.Now(), p.router.answers.Load()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-current.ended():
			return
		case <-current.cleaned:
			return
		case <-ticker.C:
		}
		alive := current.answersProbe(p.ctx, interval)
		if count := p.router.answers.Load(); count != answers {
			alive, answers = true, count
		}
		if alive {
			answered = time.Now()
			continue
		}
		if p.ctx.Err() == nil && time.Since(answered) >= limit {
			p.log.Error("The plugin process answers nothing and is killed", "pid", current.pid(), "for", time.Since(answered).Round(time.Second).String())
			current.stuck.Store(true)
			current.killNow()
			return
		}
	}
}

// answersProbe asks the process whether it works. Any answer will do.
func (p *process) answersProbe(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(p.conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	switch status.Code(err) {
	case codes.DeadlineExceeded, codes.Canceled, codes.Unavailable:
		return false
	}
	return true
}
