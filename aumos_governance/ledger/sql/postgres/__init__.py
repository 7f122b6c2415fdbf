"""What a ledger needs only on PostgreSQL: connections, transactions with row locks, and the translation of errors."""
