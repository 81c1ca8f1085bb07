"""The code generator: server/public's contract in, protobuf, Go, Python and docs out."""
