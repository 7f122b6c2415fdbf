"""How requests become commits: dispatched to their operations, and written together."""
