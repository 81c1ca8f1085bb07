package netrpcwire

import "errors"

// Method is one that is served.
type Method struct {
	// values returns what arguments are decoded into, and what the method replies with.
	values func() (args, reply any)
	call   func(args, reply any) error
	begin  func(args, reply any, then func(error)) bool // nil: it is only called
}

// Of returns the method that a function is, as net/rpc would serve it.
func Of[Args, Reply any](function func(*Args, *Reply) error) Method {
	return Method{
		values: func() (args, reply any) { return new(Args), new(Reply) },
		call:   func(args, reply any) error { return function(args.(*Args), reply.(*Reply)) },
	}
}

// Call calls the method.
func (m Method) Call(args, reply any) error { return m.call(args, reply) }

// Begun returns the same method, begun where its calls are read while others are under way: for one whose reply comes from
// elsewhere, so that no goroutine need wait for each. begin must not wait, and returns false if it has done nothing:
// the method is called then. Otherwise then is called once, when reply has been filled, with how the call failed, or with
// ErrAgain.
func (m Method) Begun(begin func(args, reply any, then func(error)) bool) Method {
	m.begin = begin
	return m
}

// ErrAgain says that nothing came of a call that was begun: the method is to be called.
var ErrAgain = errors.New("the method is to be called")
