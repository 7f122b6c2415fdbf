"""Governance sessions, and the notebooks that have them."""
