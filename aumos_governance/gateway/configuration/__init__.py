"""The gateway's configuration: the providers that an administrator lists, and the environment variables for clients."""
