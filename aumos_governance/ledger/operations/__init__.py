"""Operations: the function that executes each request, written once for all backends, in folders by subject.

An operation gets the `Work` of its transaction and the request. It first checks everything, then changes rows, and
returns the response. `registry` maps each class of requests to its operation. Functions that several folders use are in
the modules beside them.
"""
