"""One module for each provider's API that the gateway serves: how requests are read, limited, forwarded and refused.

The module `api` has their common interface, `ProviderApi`.
"""
