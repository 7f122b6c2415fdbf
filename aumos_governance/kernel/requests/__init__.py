"""The client that makes a kernel's requests to the notebook service, and does not lose or repeat them.

Before its first request, a client sends a *hello*; the response states the server's clock and how it can be reached. If
a message may be lost, the client resends a request until its response arrives. If the caller does not use the response,
for example after an interrupt, the client *takes the request back*: it sends a ``cancel``, so that nothing is charged
or held. A *posted* request is sent without waiting for its response.
"""
