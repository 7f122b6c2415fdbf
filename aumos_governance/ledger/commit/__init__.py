"""The way of requests into commits: each is dispatched to its operation, and many are written in one transaction."""
