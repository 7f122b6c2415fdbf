"""The server's connections to its kernels: discovery, transports, environment, keys and the end of processes."""
