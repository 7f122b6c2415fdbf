"""Anthropic's requests and responses."""
