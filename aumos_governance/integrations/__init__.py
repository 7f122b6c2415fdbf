"""Governed clients and frameworks: each module reads what is requested and used; `guarding` holds and settles."""
