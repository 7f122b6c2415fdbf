"""The requests of kernels and users, validated and executed on the ledger."""
