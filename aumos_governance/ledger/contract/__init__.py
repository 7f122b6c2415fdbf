"""The ledger's interface for other packages: the requests and queries that it executes, and their responses.

The interface itself is `ledger.Ledger`. `terms` also has the rules by which sessions are opened and changed.
"""
