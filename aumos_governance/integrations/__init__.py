"""Governed clients and framework adapters: they read requests and usage; `guarding` holds and settles the costs."""
