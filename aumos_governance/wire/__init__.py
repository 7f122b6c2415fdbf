"""The wire protocol, in which kernels make requests of their server: `protocol` describes it, `operations` lists it.

The other modules declare, write and read its JSON bodies, and send them over a socket.
"""
