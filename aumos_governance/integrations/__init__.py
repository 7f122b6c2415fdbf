"""Clients and frameworks, governed: each module only says what is requested and what was used; `guard` does it."""
