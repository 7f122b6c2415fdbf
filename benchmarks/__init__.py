"""Benchmarks, some with a limit that the result must keep; run by `make bench` or `python -m benchmarks`."""
