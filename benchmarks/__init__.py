"""Measures what the ledger promises: python -m benchmarks, or make bench."""
