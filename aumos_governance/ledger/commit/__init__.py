"""The execution of requests: a queue collects them, one transaction executes many of them, and one commit stores all.

`arrivals` has the queue, `writer` the thread that empties it, and `dispatch` calls the function for one request.
"""
