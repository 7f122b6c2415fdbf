"""Holds the worst case of a governed call before it is sent, and settles its true cost afterwards.

A `Guard` computes the worst case, the most USD that a call can cost, and has the ledger hold this amount in a `Charge`.
The charge is settled when the call's cost is known: the cost is charged, and the rest of the hold is free again. If the
call cost nothing, the charge is released. If the true cost cannot be known, an estimate is charged, and flagged so.
One call of a client may send a request several times, for example after an error; each sending is an `Attempt`. What is
paid and how much it costs is known to an adapter, a class for one provider's API that implements `Provider`.

Functions that return `Steps` hold the code that synchronous and asynchronous clients share. Their result is a generator
that `steps.now` runs or, if ``awaited`` is True, `steps.when_awaited`.
"""
