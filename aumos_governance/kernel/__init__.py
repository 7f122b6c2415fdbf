"""The code that runs in a notebook's kernel: the magics, the notebook's engine, and the client that makes requests.

Decisions are made by the *notebook service*, which keeps the ledger. A kernel that a governed Jupyter server started (a
*governed kernel*) sends its requests to the service in that server. Elsewhere the service runs in the kernel's own
process, with a ledger in a file: this is the *embedded engine*. If there is no response, nothing is authorised.
"""
