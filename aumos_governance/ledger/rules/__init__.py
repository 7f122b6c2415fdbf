"""Pure rules and forms of the ledger: no storage, no clock."""
