"""The act that a kernel asks to be authorised, as its ask says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import InvalidRequestError
from ..ledger.contract.charges import Hold
from ..types import ActionKind, TrustLevel
from ..wire import fields
from ..wire.protocol import MAX_TIME, Ask, is_number
from .callers import Caller, expiry_of, origin_of
from .holding import CHARGE_FIELDS, amount_of, charge_of

__all__ = ["ActAsk"]

_MOST_SECONDS: Final = 7 * 24 * 3600.0
_FIELDS: Final = (*CHARGE_FIELDS, "amount", "shown", "timeout", "wait")


@dataclass(frozen=True, slots=True)
class ActAsk:
    """What is to be done, shown and waited for."""

    holding: Hold
    shown: Mapping[str, Any]
    """What a person is to see of it."""
    seconds: float | None
    """How long a person has; None leaves it to the server."""
    wait: bool
    """Whether a person may be asked at all."""

    @classmethod
    def read(cls, caller: Caller, ask: Ask) -> ActAsk:
        """Raises InvalidRequestError or InvalidAmountError for what is no act."""
        body = ask.body
        fields.known_only(body, _FIELDS)
        shown = body.get("shown")
        if not isinstance(shown, Mapping):
            raise InvalidRequestError("An act needs what a person is to see of it: an object called shown.")
        holding = Hold(
            key=ask.id,
            origin=origin_of(caller, ask),
            expires_at=expiry_of(ask),
            notebook=caller.notebook,
            amount=amount_of(ask, "An act"),
            kind=ActionKind.ACT,
            **charge_of(body, TrustLevel.L3_ACT_APPROVE),
        )
        wait = body.get("wait") is None or fields.flag(body, "wait")
        return cls(holding, shown, _seconds(body.get("timeout")), wait)


def _seconds(raw: object) -> float | None:
    if raw is None:
        return None
    if not is_number(raw, MAX_TIME):
        raise InvalidRequestError("An act's timeout must be a number of seconds.")
    if not 0 < raw <= _MOST_SECONDS:
        raise InvalidRequestError("An act's timeout must be more than 0 seconds, and at most 604800, which is a week.")
    return float(raw)
