"""The operations that open, change and close governance sessions, and that move, delete and join notebooks."""
