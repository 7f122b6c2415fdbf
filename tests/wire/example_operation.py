"""The example of "A wire operation" in docs/developing.md: the ceilings around a notebook's session, for its kernel."""

from __future__ import annotations

from typing import Final

from aumos_governance.wire.operation import Operation, each, response
from aumos_governance.wire.shapes import Field, Shape

__all__ = ["CEILING", "CEILINGS"]

CEILING: Final = Shape(
    "EnvelopeState",
    Field("name"),
    Field("kind"),
    Field("period", "{}.value", "BudgetPeriod({})"),
    Field("limit", "to_text({})", None, "balance.limit"),
    Field("spent", "to_text({})", None, "balance.spent"),
    Field("held", "to_text({})", None, "balance.held"),
    Field("charges"),
    derived={
        "period_start": "0",
        "balance": "Balance(parse(body['limit']), parse(body['spent']), parse(body['held']))",
    },
)
CEILINGS: Final = Operation(
    "ceilings",
    Shape("ListEnvelopes", given={"notebook": "notebook"}, checked=True),
    response(each("ceilings", "CEILING"), CEILING=CEILING),
    reads=True,
)
