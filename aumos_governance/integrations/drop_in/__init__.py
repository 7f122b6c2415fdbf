"""The parts that `govern` is made of.

They copy a client, make the copy look like the plain client, and hold and settle each request that it sends.
"""
