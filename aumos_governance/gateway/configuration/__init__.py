"""Reads the gateway's configuration by an administrator, and makes its clients' environment variables from it."""
