"""Verification of a ledger: check the hash chains of its audit records, then compare its tables with these records.

There is one hash chain for each session, and the ledger-wide chain, whose records are about sessions, settings and
keys. Records are *replayed*: each event, such as ``spend`` or ``settle``, has a rule in `rules`, a function that
derives from one record of this event the values that rows must have afterwards. After the replay, each row must have
the derived values; any difference is a finding. Columns whose values are in no record are listed in `unproven`.
"""
