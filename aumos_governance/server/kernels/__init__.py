"""The server's connections to its kernels, over which kernels make governance requests.

A connection uses one of two transports: comm messages on the kernel's Jupyter channels, or a local socket. A kernel's
process first sends a ``hello``, which contains its nonce: random text that differs from that of each process before or
after a restart. When a process ends, the server reports this to the ledger.
"""
