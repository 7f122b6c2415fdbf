"""The operations on approval requests, which a user decides before an action, and on reports of what an action did."""
