"""The columns whose values a verification cannot compare with audit records, in all rows or in some, with the reasons.

A column in neither list is proven in every row: a verification reports a row whose value was changed. Tests verify this
for every column.
"""

from __future__ import annotations

from typing import Final

UNPROVEN: Final[dict[tuple[str, str], str]] = {
    ("notebooks", "root"): "which server's root a notebook lies under is in no record",
    ("notebooks", "path"): "a rename writes no record; each record names the path of its time",
    ("notebooks", "file"): "it is made of root and path, which no record proves",
    ("notebooks", "seq"): "it only notifies pages that something changed",
    ("notebooks", "deleted_at"): "a deletion without an open session writes no record",
    ("charges", "scope"): "it is in no record; while the response to the request is stored, it is compared with that",
    ("charges", "incarnation"): "which kernel process made a hold is in no record",
    ("estimates", "reference"): "the provider's id of its response is in no record",
    ("approvals", "scope"): "it is in no record",
    ("approvals", "incarnation"): "which kernel process requests the approval is in no record",
    ("trust", "touched_at"): "that an agent was active writes no record",
    ("asks", "key"): "the key of a request is in no record",
}
"""By table and column: the reason why no record proves the column's values. A change of such a value is not found."""

PARTLY: Final[dict[tuple[str, str], str]] = {
    ("notebooks", "owner"): "where the notebook had a session within a ceiling of its owner or server",
    ("balances", "period_start"): "where no join moved the sums to another notebook; where one did, they must be 0",
    ("configurations", "owner"): "where a ceiling is or was configured",
    ("configurations", "root"): "where a ceiling is or was configured",
    ("memberships", "owner"): "where a shared ceiling is around the owner's sessions",
    ("approvals", "shown"): "once decided: it must be gone",
    ("reports", "shown"): "once acknowledged: it must be gone",
    ("asks", "scope"): "where the response is a charge",
    ("asks", "digest"): "where the request was cancelled before it arrived",
    ("asks", "at"): "where the response is a decision, a settled hold, a correction or a record",
    ("asks", "expires_at"): "where the request was cancelled before it arrived",
    ("asks", "notebook_id"): "where the response is a decision, a settled hold, a correction or a record",
    ("asks", "answer"): "its charge, amount, tool, outcome and record; other responses are only checked to be readable",
}
"""By table and column: in which rows, or in which part, the column's value is proven."""
