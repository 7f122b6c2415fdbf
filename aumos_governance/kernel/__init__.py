"""What runs in a kernel: the magics, and the client that requests each decision."""
