"""What kernels, agents and users may request of a notebook, as operations on the ledger."""
