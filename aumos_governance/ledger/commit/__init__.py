"""The execution of requests: each is dispatched to its operation, and many are committed in one transaction."""
