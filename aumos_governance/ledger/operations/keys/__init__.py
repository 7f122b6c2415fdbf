"""The operations that issue, bind, revoke and list the gateway's keys, of which the ledger stores only digests."""
