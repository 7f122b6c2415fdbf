"""What an administrator configures of the gateway, and what its clients find of that in their environment."""
