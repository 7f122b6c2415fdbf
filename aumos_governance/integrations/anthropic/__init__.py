"""The adapter for Anthropic's API."""
