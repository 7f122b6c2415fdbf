"""Operations on the gateway's keys, of which the ledger stores only digests."""
