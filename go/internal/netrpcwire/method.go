package netrpcwire

// Method is one that is served.
type Method struct {
	// values returns what arguments are decoded into, and what the method replies with.
	values func() (args, reply any)
	call   func(args, reply any) error
}

// Of returns the method that a function is, as net/rpc would serve it.
func Of[Args, Reply any](function func(*Args, *Reply) error) Method {
	return Method{
		values: func() (args, reply any) { return new(Args), new(Reply) },
		call:   func(args, reply any) error { return function(args.(*Args), reply.(*Reply)) },
	}
}
