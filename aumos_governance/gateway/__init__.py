"""The gateway: serves the providers' APIs to clients, and forwards authorized calls with the providers' keys."""
