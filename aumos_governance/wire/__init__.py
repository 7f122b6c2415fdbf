"""The wire protocol between kernels and servers: its messages, operations, fields and bodies, and a socket channel."""
