"""What each request does, written once for all backends.

An operation takes the `Work` of its transaction and the request; it checks everything first, changes rows
after, and returns the answer.
"""
