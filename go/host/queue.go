package host

import (
	"context"
	"fmt"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"
	"github.com/mattermost-plugin/mattermost-plugin/go/internal/plaincall"
)

// queue holds the notifications that wait for a process, in the order in which they came. The router's lock guards it.
type queue struct {
	waiting []notice
	limit   int
	losses  losses
}

// notice is a notification that waits for a process. It keeps nothing of the caller's, which may change its arguments
// as soon as the call has returned.
type notice struct {
	arrival uint64
	hook    string
	method  string
	message encoded
	reply   reflect.Type // what the response is read into
	options []grpc.CallOption
}

// encoded is a message that has been encoded already.
type encoded []byte

// Append implements convert.Message.
func (e encoded) Append(b []byte) []byte { return append(b, e...) }

// Parse implements convert.Message. Nothing is read into a request.
func (e encoded) Parse([]byte) error { return fmt.Errorf("an encoded message is not parsed into") }

// newNotice makes a notice of a call.
func newNotice(arrival uint64, method string, args, reply any, options []grpc.CallOption) (notice, error) {
	message, ok := args.(plaincall.Message)
	if !ok {
		return notice{}, status.Errorf(codes.Internal, "%s has a %T for a request, which cannot wait for the plugin", method, args)
	}
	return notice{
		arrival: arrival, hook: path.Base(method), method: method, message: message.Append(nil),
		reply: reflect.TypeOf(reply).Elem(), options: slices.Clone(options),
	}, nil
}

// call makes the call over a connection, and tells whether the request may have reached the process.
func (n *notice) call(ctx context.Context, conn *plaincall.Conn) (reached bool, err error) {
	var to peer.Peer
	reply := reflect.New(n.reply).Interface()
	err = conn.Invoke(ctx, n.method, n.message, reply, append(slices.Clip(n.options), grpc.WaitForReady(true), grpc.Peer(&to))...)
	if response, ok := reply.(*convert.OnConfigurationChangeResponse); ok && err == nil {
		err = response.Error
	}
	return to.Addr != nil, err
}

// add takes a notice at the place that its arrival has, and tells whether there was room for it. The first one that is
// dropped is told by first.
func (q *queue) add(n notice) (kept, first bool) {
	if len(q.waiting) >= q.limit {
		return false, q.losses.drop(n.hook)
	}
	at, _ := slices.BinarySearchFunc(q.waiting, n.arrival, func(n notice, arrival uint64) int {
		if n.arrival <= arrival {
			return -1
		}
		return 1
	})
	q.waiting = slices.Insert(q.waiting, at, n)
	return true, false
}

// take removes a notice that was called. Others may have come before it meanwhile.
func (q *queue) take(arrival uint64) {
	q.waiting = slices.DeleteFunc(q.waiting, func(n notice) bool { return n.arrival == arrival })
}

// clear drops all that waits.
func (q *queue) clear() {
	for _, n := range q.waiting {
		q.losses.drop(n.hook)
	}
	q.waiting = nil
}

// losses counts the notifications that the plugin never answered, by hook.
type losses struct {
	dropped  map[string]int // never sent: the queue was full, or no process came
	inFlight map[string]int // sent, and not answered when the process ended
}

// drop counts one that was not sent, and tells whether it is the first.
func (l *losses) drop(hook string) (first bool) {
	if l.dropped == nil {
		l.dropped = make(map[string]int)
	}
	l.dropped[hook]++
	return len(l.dropped) == 1 && l.dropped[hook] == 1
}

// lose counts one that was in flight.
func (l *losses) lose(hook string) {
	if l.inFlight == nil {
		l.inFlight = make(map[string]int)
	}
	l.inFlight[hook]++
}

// fields takes the counts as fields of a log record. nil: nothing was lost.
func (l *losses) fields() []any {
	var fields []any
	if total := sum(l.dropped); total > 0 {
		fields = append(fields, "dropped", total, "dropped_hooks", byHook(l.dropped))
	}
	if total := sum(l.inFlight); total > 0 {
		fields = append(fields, "lost_in_flight", total, "lost_hooks", byHook(l.inFlight))
	}
	*l = losses{}
	return fields
}

func sum(counts map[string]int) int {
	total := 0
	for _, count := range counts {
		total += count
	}
	return total
}

// byHook writes counts as one text, in the order of the hooks' names.
func byHook(counts map[string]int) string {
	parts := make([]string, 0, len(counts))
	for _, hook := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s: %d", hook, counts[hook]))
	}
	return strings.Join(parts, ", ")
}
