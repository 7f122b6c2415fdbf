"""Benchmarks of the ledger, the server, the gateway and the page; run by ``make bench`` or ``python -m benchmarks``.

Some results have a limit; a result over its limit is marked in the output, but fails nothing.
"""
