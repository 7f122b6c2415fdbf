"""The engine of the notebook: its server's, seen from the kernel."""
