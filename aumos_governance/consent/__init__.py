"""Consents of users to agents' use of data."""
