"""Measurements against a Go plugin and against grpcio: `make bench`, or `python -m benchmarks`."""
