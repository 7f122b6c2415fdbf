"""What each request does, written once for all backends, in rooms by idea.

An operation takes the `Work` of its transaction and the request; it checks everything first, changes rows
after, and returns the response. `registry` brings a request to it. What several rooms need lies here beside them.
"""
