"""Consents to the use of data."""
