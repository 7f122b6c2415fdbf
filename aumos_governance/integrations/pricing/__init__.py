"""Computes what calls of models cost, in USD.

Before a call, `sizes` and `rates` compute the most that it can cost, its worst case. After the call, `sellers`, `usage`
and `rates` compute its true cost from the usage that the response reports. A seller is the vendor whose price list
applies to a call, for example OpenAI or, for the same model at another address, Azure.
"""
