"""What runs in a kernel: the magics, and the client that asks for each decision."""
