"""The gateway of a Jupyter server, which forwards API calls to the providers, and the issuing of its keys.

Kernels, terminals and users' programs get such keys in place of the providers' own keys.
"""
