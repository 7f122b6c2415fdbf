"""The code that runs in a kernel: the magics, and the client that requests decisions."""
