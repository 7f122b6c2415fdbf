"""The providers' APIs as the gateway handles them: one module for each, with the interface in `api`."""
