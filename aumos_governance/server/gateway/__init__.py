"""The gateway in a Jupyter server, and the keys that its kernels, terminals and users get."""
