"""The errors that this package raises, as one tree.

::

    AumOSGovernanceError
    ├── TrustLevelError            the trust level is below the level that the action requires
    ├── BudgetExceededError        the amount is more than the budget has left
    ├── BudgetNotFoundError        there is no budget of this name
    ├── ConsentDeniedError         no consent covers this use of data
    ├── ConsentNotFoundError       there is no such consent to revoke
    ├── GovernanceDeniedError      an action was denied and did not run
    ├── ConfigurationError         a setting has a value that cannot work
    ├── InvalidPeriodError         a budget's period is not a known one     (also a ValueError)
    ├── InvalidRequestError        an argument or field has an invalid value (also a ValueError)
    │   └── InvalidAmountError     a value is not an amount of money
    ├── NotAllowedError            the caller may not change this (a ceiling, strict mode, a value that a user set)
    ├── NotFoundError              there is no such session, hold, approval or record
    ├── ConflictError              the request contradicts what is recorded
    │   └── IdempotencyError       an idempotency key was reused with other content
    ├── ExpiredError               the request arrived after its expiry time; nothing was done
    └── UnavailableError           no decision could be obtained, so nothing was authorised
        ├── BusyError              too many requests are in flight; nothing was done, and the request may be sent again
        ├── ServerUnreachableError the governance server does not respond
        └── LedgerError            the ledger cannot be read or written now
            ├── LedgerVersionError another version of this package wrote the ledger
            └── NotConfirmedError  it is not known whether the ledger recorded the request

Each error has a ``code``, a stable word for programs, and a ``message``, one sentence for users.
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
    """Base class of all errors of this package. ``message`` is one sentence for users, ``code`` a stable word for
    programs.
    """

    default_code = "GOVERNANCE_ERROR"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code if code is not None else self.default_code

    def _render_traceback_(self) -> list[str]:
        # IPython shows these lines in place of a traceback. The message states what was wrong and what to do, and the
        # frames inside this package would only hide it; the magic %tb still shows them.
        if not _are_frames_requested():
            return [self.message]
        from traceback import format_exception

        return format_exception(self)

    def __reduce__(self) -> tuple[object, ...]:
        # Process pools pickle errors. The default would call the subclass with Exception.args, which are not the
        # arguments that its __init__ takes.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _are_frames_requested() -> bool:
    """Whether the magic ``%tb``, with which the user requests the traceback, is among the calling frames."""
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
    """Raised when the trust level of the agent ``agent_id`` (in ``scope``, if set) is below the required level."""

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
    """Raised when ``requested`` USD are more than the ``available`` USD of the budget ``category``.

    Nothing was charged.
    """

    default_code = "BUDGET_EXCEEDED"

    def __init__(self, category: str, requested: float, available: float, message: str | None = None) -> None:
        super().__init__(
            message or f"Budget {category!r} has {available} USD left, and {requested} USD were requested."
        )
        self.category = category
        self.requested = requested
        self.available = available


class BudgetNotFoundError(AumOSGovernanceError):
    """Raised when there is no budget with the name ``category``."""

    default_code = "BUDGET_NOT_FOUND"

    def __init__(self, category: str) -> None:
        super().__init__(f"There is no budget {category!r}; create it with create_budget({category!r}, limit).")
        self.category = category


class ConsentDeniedError(AumOSGovernanceError):
    """Raised when no consent covers a use of data."""

    default_code = "CONSENT_DENIED"


class ConsentNotFoundError(AumOSGovernanceError):
    """Raised when the consent to revoke does not exist."""

    default_code = "CONSENT_NOT_FOUND"


class GovernanceDeniedError(AumOSGovernanceError):
    """Raised when an action is denied; it did not run. ``audit_record_id`` is the id of the decision's audit record.

    ``denial_code`` is the reason as a stable word, such as ``BUDGET_EXCEEDED``, ``BUDGET_NOT_FOUND``,
    ``TRUST_LEVEL_INSUFFICIENT``, ``SUGGESTED``, ``APPROVAL_REQUIRED``, ``APPROVAL_DENIED``, ``APPROVAL_TIMEOUT``,
    ``APPROVAL_WITHDRAWN``, ``CONSENT_DENIED`` or ``NO_SESSION``; None if the reason has no code.

    Also raised when a spend that was already paid exceeds the budget: the spend is then recorded in full, and the
    message states so.
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
    """Raised when a setting has a value that cannot work or that would break one of the package's guarantees.

    ``cause``, if set, is the part of the message that describes the problem. The rest of the message advises users of
    this Python process. A caller that reports the error elsewhere, such as the gateway, uses only ``cause`` and adds
    advice for its users.
    """

    default_code = "CONFIGURATION_ERROR"

    def __init__(self, message: str, code: str | None = None, *, cause: str | None = None) -> None:
        super().__init__(message, code)
        self.cause = cause


class InvalidPeriodError(AumOSGovernanceError, ValueError):
    """Raised when a budget's period is not one of ``BUDGET_PERIOD_VALUES``."""

    default_code = "INVALID_PERIOD"


class InvalidRequestError(AumOSGovernanceError, ValueError):
    """Raised when an argument, or a field of a request, has an invalid value. Nothing was changed."""

    default_code = "INVALID_REQUEST"


class InvalidAmountError(InvalidRequestError):
    """Raised when a value is not an amount of money that can be charged."""

    default_code = "INVALID_AMOUNT"


class NotAllowedError(AumOSGovernanceError):
    """Raised when the caller may not make a change that only a user in the panel, or the server's administrator, may
    make.
    """

    default_code = "NOT_ALLOWED"


class NotFoundError(AumOSGovernanceError):
    """Raised when a request names a session, hold, approval or record that does not exist."""

    default_code = "NOT_FOUND"


class ConflictError(AumOSGovernanceError):
    """Raised when a request contradicts what is already recorded. Nothing was changed."""

    default_code = "CONFLICT"


class IdempotencyError(ConflictError):
    """Raised when an idempotency key was used before for a request with other content. Nothing was changed."""

    default_code = "IDEMPOTENCY_KEY_REUSED"


class ExpiredError(AumOSGovernanceError):
    """Raised when a request reached the ledger after the expiry time that the request states. Nothing was done."""

    default_code = "EXPIRED"


class UnavailableError(AumOSGovernanceError):
    """Raised when no decision could be obtained. Nothing is authorised without a decision."""

    default_code = "UNAVAILABLE"


class BusyError(UnavailableError):
    """Raised when too many requests are in flight. Nothing was done, and the same request may be sent again."""

    default_code = "BUSY"


class ServerUnreachableError(UnavailableError):
    """Raised when the server that governs this kernel does not respond."""

    default_code = "SERVER_UNREACHABLE"


class LedgerError(UnavailableError):
    """Raised when the ledger cannot be read or written now (a lock, a full disk, a lost connection)."""

    default_code = "LEDGER_UNAVAILABLE"


class LedgerVersionError(LedgerError):
    """Raised when another version of this package made the ledger's tables, and this version cannot use them.

    A newer version of the package must then be installed. A ledger that is opened only for reading may also be older;
    then a server must upgrade it first.
    """

    default_code = "LEDGER_TOO_NEW"


class NotConfirmedError(LedgerError):
    """Raised when the ledger's connection or disk failed during a commit: it is not known whether the request was
    recorded.

    If the request was recorded, the ledger voids its spend or hold as soon as the database can be used again.
    """

    default_code = "NOT_CONFIRMED"


def from_code(code: str, message: str) -> AumOSGovernanceError:
    """Return the error that a server's response describes by its ``code`` and ``message``, for the client to raise.

    The error has the class with this code, which the server raised. For a code that this version does not know, it has
    the base class, and keeps the code.
    """
    kind = _BY_CODE.get(code, AumOSGovernanceError)
    return kind(message, code)


# Only errors that a message describes in full are sent as an error response. The others have figures as attributes,
# and are raised on the side that knows these figures.
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
