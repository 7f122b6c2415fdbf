"""The gateway: an HTTP server through which programs call providers of language models without their keys.

A Jupyter server runs it, if an administrator configures providers. Its clients are kernels, terminals and other
programs; each has a key of its own for the gateway (a *gateway key*). The gateway serves each provider's API under
``/llm/<provider>/``. For a paid call it holds the call's worst case, the highest cost that the call can have, in the
governance session of the client's notebook. It forwards the call with the provider's key, and charges the notebook the
true cost from the response. The configured server that it forwards to is called an *upstream*.
"""
