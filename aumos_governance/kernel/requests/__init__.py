"""The client that makes a kernel's requests to the notebook service, so that none is lost or executed twice.

Before its first request, a client sends a *hello*; the server's response, the *greeting*, states the server's clock and
a faster connection, if there is one. If a message may be lost, the client resends a request until its response arrives.
If the caller does not use the response, for example after an interrupt, the client *takes the request back*: it sends a
``cancel``, so that nothing is charged or held. A *posted* request is sent without waiting for its response.
"""
