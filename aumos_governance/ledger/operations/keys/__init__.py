"""Operations on the gateway's keys. The ledger stores only digests of the keys."""
