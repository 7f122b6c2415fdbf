"""The gateway: serves the providers' own APIs, and forwards authorized calls with keys that no client has."""
