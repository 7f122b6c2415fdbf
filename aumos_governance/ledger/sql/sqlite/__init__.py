"""What a ledger needs only on SQLite: the file, its locks, and the list of the servers that use it."""
