"""The service that executes the requests of kernels and users on the ledger, and makes the bodies of their responses.

It knows neither Jupyter nor HTTP: the server extension and a kernel's embedded engine pass it the requests.
"""
