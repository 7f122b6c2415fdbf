"""The function behind ``GET config``, which returns the server's configuration of governance."""

from __future__ import annotations

from ...integrations.pricing import price_data
from ...ledger.contract.queries import ListCeilings
from .ceilings import differences
from .context import Context
from .route import Body, Request


def config(context: Context, request: Request[None]) -> Body:
    prices = price_data.describe()
    ceilings = context.service.ledger.read(ListCeilings(owner=context.owner))
    return {
        **context.settings.body(),
        "user": context.owner if request.one_user else None,
        "price_data": None if prices is None else prices.body(),
        "ceilings_differ": differences(context.settings.envelopes, ceilings),
        "gateway": context.gateway,
    }
