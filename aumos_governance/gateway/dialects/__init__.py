"""The gateway's handling of the providers' APIs: one module for each API, and their common interface in `api`."""
