"""The server's configuration."""
