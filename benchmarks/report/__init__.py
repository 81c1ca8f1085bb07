"""Pages, charts and tables of what was measured: `python -m benchmarks.report dist/benchmark.json`."""
