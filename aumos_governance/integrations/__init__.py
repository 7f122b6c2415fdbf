"""Clients and frameworks, governed: each module only says what is asked for and what was used; `guard` does it."""
