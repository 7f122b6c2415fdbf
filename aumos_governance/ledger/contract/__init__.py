"""What is known of the ledger from outside: its records, requests and queries, and the terms of sessions."""
