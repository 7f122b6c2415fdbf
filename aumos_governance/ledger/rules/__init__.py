"""Functions of the ledger that compute only from their arguments, without storage or a clock.

They hash records and requests, give the reasons for refusals, identify notebooks by their files, and write exports.
"""
