"""The ledger in the memory of one process, for SDK engines without a file and for tests; lost when the process ends."""
