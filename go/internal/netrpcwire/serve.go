package netrpcwire

import (
	"errors"
	"fmt"
	"io"
	"net/rpc"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/mattermost-plugin/mattermost-plugin/go/internal/fastgob"
)

// Serve answers calls until the stream ends and the calls that run have returned. Names of methods are as in requests,
// "Plugin.OnActivate". A call whose reply gob refuses fails alone: types are values of those types that replies may hold
// in interfaces within interfaces.
func Serve(stream io.ReadWriteCloser, methods map[string]Method, logger hclog.Logger, types ...any) {
	s := &server{
		stream:    stream,
		methods:   methods,
		logger:    logger,
		requests:  fastgob.NewDecoder(stream),
		responses: newMessages(types),
	}
	calls := newWorkers(s.answer)
	for {
		c, err := s.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				logger.Error("Cannot read what the server calls", "error", err)
			}
			break
		}
		if c == nil {
			continue
		}
		s.underWay.Add(1)
		if !s.begin(c) {
			calls.do(c)
		}
	}
	s.begun.Wait()
	calls.stop()
	_ = stream.Close() // it has ended
}

type server struct {
	stream   io.ReadWriteCloser
	methods  map[string]Method
	logger   hclog.Logger
	requests *fastgob.Decoder
	begun    sync.WaitGroup // calls
	underWay atomic.Int64   // calls that were read

	lock      sync.Mutex
	responses *messages
}

// call is one that was read.
type call struct {
	name        string
	number      uint64
	method      Method
	args, reply any
}

// next reads a request. Without a call it was one that cannot be made, and is answered.
func (s *server) next() (*call, error) {
	var request rpc.Request
	if err := s.requests.Decode(&request); err != nil {
		return nil, err
	}
	c := &call{name: request.ServiceMethod, number: request.Seq}
	method, known := s.methods[c.name]
	if !known {
		_ = s.requests.Decode(nil) // if the stream has ended, the next request tells
		s.respond(c, s.errUnknown(c.name))
		return nil, nil
	}
	c.method = method
	c.args, c.reply = method.values()
	if err := s.requests.Decode(c.args); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		s.respond(c, err)
		return nil, nil
	}
	return c, nil
}

// errUnknown is what net/rpc says of a method that is not there; Mattermost knows it by that.
func (s *server) errUnknown(name string) error {
	dot := strings.LastIndex(name, ".")
	if dot < 0 {
		return fmt.Errorf("rpc: service/method request ill-formed: %s", name)
	}
	for known := range s.methods {
		if strings.HasPrefix(known, name[:dot+1]) {
			return fmt.Errorf("rpc: can't find method %s", name)
		}
	}
	return fmt.Errorf("rpc: can't find service %s", name)
}

// begin begins a call while others are under way, and tells whether it has. What is large is not for the goroutine that
// reads.
func (s *server) begin(c *call) bool {
	alone := s.underWay.Load() == 1 && !s.requests.HoldsMore()
	if alone || c.method.begin == nil || s.requests.Size() > largeRequest {
		return false
	}
	s.begun.Add(1)
	begun := c.method.begin(c.args, c.reply, func(failure error) {
		if errors.Is(failure, ErrAgain) {
			go func() {
				defer s.begun.Done()
				s.answer(c)
			}()
			return
		}
		s.finish(c, failure)
		s.begun.Done()
	})
	if !begun {
		s.begun.Done()
	}
	return begun
}

// largeRequest is what takes a while to pass on.
const largeRequest = 16 << 10

// answer makes a call and responds.
func (s *server) answer(c *call) { s.finish(c, c.method.call(c.args, c.reply)) }

// finish responds to a call that was made.
func (s *server) finish(c *call, failure error) {
	s.underWay.Add(-1)
	s.respond(c, failure)
}

// respond sends the reply of a call, or the failure.
func (s *server) respond(c *call, failure error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	response := rpc.Response{ServiceMethod: c.name, Seq: c.number}
	if failure == nil {
		if failure = s.responses.add(&response, c.reply); failure != nil {
			s.logger.Error("Cannot encode what a hook returned", "hook", c.name, "error", failure)
		}
	}
	if failure != nil {
		response.Error = failure.Error()
		if err := s.responses.add(&response, struct{}{}); err != nil {
			s.logger.Error("Cannot encode the failure of a hook", "hook", c.name, "error", err) // it is text
			return
		}
	}
	_, _ = s.stream.Write(s.responses.take()) // who reads hears of the end
}
