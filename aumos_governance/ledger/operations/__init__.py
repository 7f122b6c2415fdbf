"""Operations: the functions that execute the ledger's requests, one for each class of `contract.requests.Request`.

Each is written once for all backends. It gets the request and the `Work` of its transaction, through which it loads and
changes rows. It first checks everything, then changes rows, and returns the response. The operations are in folders by
subject, and `registry` finds the operation of a request; functions that several folders use are in the modules here.
"""
