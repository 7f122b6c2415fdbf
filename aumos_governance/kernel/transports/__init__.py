"""The transports, each of which carries requests to the notebook service and the responses back in another way.

They are the kernel's own messages (a *comm*), a local socket, and a call within the process for the embedded engine.
"""
