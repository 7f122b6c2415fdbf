"""The gateway's configuration by an administrator, and the environment variables that its clients get from it."""
