"""The ledger's interface for other packages: its records, requests and queries, and the rules of sessions."""
