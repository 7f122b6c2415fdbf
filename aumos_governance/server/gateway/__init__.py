"""The gateway in a Jupyter server: what it gives to kernels, terminals and users."""
