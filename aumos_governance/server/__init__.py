"""The Jupyter server extension: a REST interface for users and programs, events for pages, and connections to kernels.

It runs one service (`aumos_governance.service`) on one ledger for all notebooks of the server.
"""
