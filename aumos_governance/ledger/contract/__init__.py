"""The parts of the ledger's contract; `base` gathers them, and is what others import."""
