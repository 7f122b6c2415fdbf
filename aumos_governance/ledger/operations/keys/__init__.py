"""The gateway's keys, of which the ledger has the digests."""
