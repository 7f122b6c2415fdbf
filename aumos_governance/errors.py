"""Every error this package raises on purpose.

::

    AumOSGovernanceError
    ├── TrustLevelError            the level is below what the action requires
    ├── BudgetExceededError        the amount does not fit into what is left
    ├── BudgetNotFoundError        no budget of that name
    ├── ConsentDeniedError         no consent covers the use
    ├── ConsentNotFoundError       no such consent to revoke
    ├── GovernanceDeniedError      an action was decided and refused; it did not run
    ├── ConfigurationError         a setting has a value that cannot work
    ├── InvalidPeriodError         not one of the budget periods            (also a ValueError)
    ├── InvalidRequestError        an argument or message has a wrong value (also a ValueError)
    │   └── InvalidAmountError     not an amount of money
    ├── NotAllowedError            the caller may not change this (a ceiling, strict mode, a user's value)
    ├── NotFoundError              no such session, hold, approval or record
    ├── ConflictError              the request contradicts what is recorded
    │   └── IdempotencyError       an idempotency key came again with other content
    ├── ExpiredError               the request arrived after its own expiry; nothing was done
    └── UnavailableError           no decision could be had, so nothing was authorised
        ├── BusyError              too many requests wait already; nothing was done, and it may be sent again
        ├── ServerUnreachableError the governance server does not respond
        └── LedgerError            the ledger cannot be read or written now
            ├── LedgerVersionError the ledger was written by a newer version of this package
            └── NotConfirmedError  whether the ledger recorded the request is not known

``code`` is stable and meant for programs; ``message`` is one sentence meant for users.
"""

from __future__ import annotations

import sys
from types import FrameType

__all__ = [
    "AumOSGovernanceError",
    "BudgetExceededError",
    "BudgetNotFoundError",
    "BusyError",
    "ConfigurationError",
    "ConflictError",
    "ConsentDeniedError",
    "ConsentNotFoundError",
    "ExpiredError",
    "GovernanceDeniedError",
    "IdempotencyError",
    "InvalidAmountError",
    "InvalidPeriodError",
    "InvalidRequestError",
    "LedgerError",
    "LedgerVersionError",
    "NotAllowedError",
    "NotConfirmedError",
    "NotFoundError",
    "ServerUnreachableError",
    "TrustLevelError",
    "UnavailableError",
    "from_code",
]


class AumOSGovernanceError(Exception):
    """The base of all errors of this package; ``message`` is one sentence, ``code`` a stable word."""

    default_code = "GOVERNANCE_ERROR"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a traceback. The sentence says what was wrong and what to do; the
        # frames inside this package would only bury it. %tb shows them.
        if not _are_frames_requested():
            return [self.message]
        from traceback import format_exception

        return format_exception(self)

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses take other arguments than Exception.args holds; errors must survive pickling, since
        # they cross process pools.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _are_frames_requested() -> bool:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "tb" and str(frame.f_globals.get("__name__")).startswith("IPython.core.magics"):
            return True
        frame = frame.f_back
    return False


def _rebuild(cls: type[AumOSGovernanceError], state: dict[str, object]) -> AumOSGovernanceError:
    error = cls.__new__(cls)
    error.args = (state.get("message"),)
    error.__dict__.update(state)
    return error


class TrustLevelError(AumOSGovernanceError):
    """The trust level of ``agent_id`` (in ``scope``) is below the one the action requires."""

    default_code = "TRUST_LEVEL_INSUFFICIENT"

    def __init__(self, agent_id: str, required_level: int, actual_level: int, scope: str | None = None) -> None:
        where = f" in scope {scope!r}" if scope else ""
        super().__init__(
            f"Agent {agent_id!r} has trust level L{int(actual_level)}{where}, and this needs L{int(required_level)}."
        )
        self.agent_id = agent_id
        self.required_level = required_level
        self.actual_level = actual_level
        self.scope = scope


class BudgetExceededError(AumOSGovernanceError):
    """``requested`` USD do not fit into the ``available`` USD of budget ``category``; nothing changed."""

    default_code = "BUDGET_EXCEEDED"

    def __init__(self, category: str, requested: float, available: float, message: str | None = None) -> None:
        super().__init__(
            message or f"Budget {category!r} has {available} USD left, and {requested} USD were requested."
        )
        self.category = category
        self.requested = requested
        self.available = available


class BudgetNotFoundError(AumOSGovernanceError):
    """There is no budget called ``category``."""

    default_code = "BUDGET_NOT_FOUND"

    def __init__(self, category: str) -> None:
        super().__init__(f"There is no budget {category!r}; create it with create_budget({category!r}, limit).")
        self.category = category


class ConsentDeniedError(AumOSGovernanceError):
    """No consent covers the use of the data."""

    default_code = "CONSENT_DENIED"


class ConsentNotFoundError(AumOSGovernanceError):
    """There is no such consent to revoke."""

    default_code = "CONSENT_NOT_FOUND"


class GovernanceDeniedError(AumOSGovernanceError):
    """An action was refused and did not run; ``audit_record_id`` names the record of the decision.

    ``denial_code`` says why in a stable word, where it is known: ``BUDGET_EXCEEDED``, ``TRUST_LEVEL_INSUFFICIENT``,
    ``SUGGESTED``, ``APPROVAL_REQUIRED``, ``APPROVAL_DENIED``, ``APPROVAL_TIMEOUT``, ``CONSENT_DENIED``, ``NO_SESSION``.

    Also raised for a spend that was already paid and does not fit: that one is recorded in full, as its message says.
    """

    default_code = "GOVERNANCE_DENIED"

    def __init__(
        self,
        agent_id: str | None,
        denial_reason: str,
        audit_record_id: str | None = None,
        *,
        message: str | None = None,
        denial_code: str | None = None,
    ) -> None:
        super().__init__(message or f"DENIED: {denial_reason}")
        self.agent_id = agent_id
        self.denial_reason = denial_reason
        self.audit_record_id = audit_record_id
        self.denial_code = denial_code


class ConfigurationError(AumOSGovernanceError):
    """A setting has a value that cannot work or would break a guarantee.

    ``cause``, where it is given, is the part of the message that says what was wrong; the rest is what the program that
    made the call can do, which differs where the call comes from elsewhere.
    """

    default_code = "CONFIGURATION_ERROR"

    def __init__(self, message: str, code: str | None = None, *, cause: str | None = None) -> None:
        super().__init__(message, code)
        self.cause = cause


class InvalidPeriodError(AumOSGovernanceError, ValueError):
    """The word is none of the budget periods."""

    default_code = "INVALID_PERIOD"


class InvalidRequestError(AumOSGovernanceError, ValueError):
    """An argument or a message has a wrong value; nothing changed."""

    default_code = "INVALID_REQUEST"


class InvalidAmountError(InvalidRequestError):
    """The value is not an amount of money that can be charged."""

    default_code = "INVALID_AMOUNT"


class NotAllowedError(AumOSGovernanceError):
    """The caller may not make this change; a user at the panel, or the server's administrator, may."""

    default_code = "NOT_ALLOWED"


class NotFoundError(AumOSGovernanceError):
    """What the request names does not exist."""

    default_code = "NOT_FOUND"


class ConflictError(AumOSGovernanceError):
    """The request contradicts what is recorded already; nothing changed."""

    default_code = "CONFLICT"


class IdempotencyError(ConflictError):
    """An idempotency key was used before with other content; nothing changed."""

    default_code = "IDEMPOTENCY_KEY_REUSED"


class ExpiredError(AumOSGovernanceError):
    """The request reached the ledger after its own expiry; nothing was done."""

    default_code = "EXPIRED"


class UnavailableError(AumOSGovernanceError):
    """No decision could be obtained, and nothing is authorised without one."""

    default_code = "UNAVAILABLE"


class BusyError(UnavailableError):
    """Too many requests are in flight already. Nothing was done, and the same request may be sent again."""

    default_code = "BUSY"


class ServerUnreachableError(UnavailableError):
    """The server that governs this kernel does not respond."""

    default_code = "SERVER_UNREACHABLE"


class LedgerError(UnavailableError):
    """The ledger cannot be read or written now (locked, full disk, lost connection)."""

    default_code = "LEDGER_UNAVAILABLE"


class LedgerVersionError(LedgerError):
    """The ledger's schema is newer than this version of the package knows."""

    default_code = "LEDGER_TOO_NEW"


class NotConfirmedError(LedgerError):
    """The ledger was lost while it committed, so it is not known whether the request was recorded.

    A spend or hold that was recorded is taken back as soon as the ledger can be reached again.
    """

    default_code = "NOT_CONFIRMED"


def from_code(code: str, message: str) -> AumOSGovernanceError:
    """The error that a response's ``code`` and ``message`` stand for, as the other side raised it.

    A code that this version does not know gives the base class, with the code kept.
    """
    kind = _BY_CODE.get(code, AumOSGovernanceError)
    return kind(message, code)


# Only the errors that a message alone describes travel: the others carry figures, and are raised where these
# are known.
_BY_CODE = {
    kind.default_code: kind
    for kind in (
        ConfigurationError,
        InvalidPeriodError,
        InvalidRequestError,
        InvalidAmountError,
        NotAllowedError,
        NotFoundError,
        ConflictError,
        IdempotencyError,
        ExpiredError,
        UnavailableError,
        BusyError,
        ServerUnreachableError,
        LedgerError,
        LedgerVersionError,
        NotConfirmedError,
    )
} | dict.fromkeys(("NOT_ESTIMATED", "ADJUSTED_ALREADY", "CORRECTED"), ConflictError)
