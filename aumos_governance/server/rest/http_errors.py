"""The HTTP status and the body, ``{"code", "message"}``, of the response to a REST request that failed."""

from __future__ import annotations

from http.client import responses
from typing import Final

from tornado.web import HTTPError

from ...errors import (
    AumOSGovernanceError,
    BudgetExceededError,
    BudgetNotFoundError,
    ConfigurationError,
    ConflictError,
    ConsentDeniedError,
    ConsentNotFoundError,
    ExpiredError,
    GovernanceDeniedError,
    InvalidPeriodError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
    TrustLevelError,
    UnavailableError,
)

_STATUS: Final[dict[type[AumOSGovernanceError], int]] = {
    AumOSGovernanceError: 500,
    BudgetExceededError: 409,
    BudgetNotFoundError: 404,
    ConfigurationError: 500,
    ConflictError: 409,
    ConsentDeniedError: 403,
    ConsentNotFoundError: 404,
    ExpiredError: 410,
    GovernanceDeniedError: 403,
    InvalidPeriodError: 400,
    InvalidRequestError: 400,
    NotAllowedError: 403,
    NotFoundError: 404,
    TrustLevelError: 403,
    UnavailableError: 503,
}
_CODES: Final = {400: "INVALID_REQUEST", 401: "NOT_LOGGED_IN", 403: "FORBIDDEN", 404: "NOT_FOUND"}


def describe(error: BaseException | None, status: int = 500) -> tuple[int, dict[str, str]]:
    """Return the HTTP status and the body of the response to a request that failed with ``error``.

    With None, return ``status`` and a body for this status.
    """
    if isinstance(error, AumOSGovernanceError):
        found = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
        return found, {"code": error.code, "message": error.message}
    if isinstance(error, HTTPError):
        return error.status_code, _body(error.status_code, _message(error))
    if error is not None:
        message = "The governance service had an internal error, so nothing was decided; its log has the details."
        return 500, {"code": "INTERNAL", "message": message}
    return status, _body(status, "")


def _body(status: int, sentence: str) -> dict[str, str]:
    phrase = responses.get(status, "Unknown Error")
    code = _CODES.get(status, phrase.upper().replace(" ", "_").replace("-", "_"))
    return {"code": code, "message": sentence or f"The server refused the request: {phrase}."}


def _message(error: HTTPError) -> str:
    """Return the message of an error of tornado or jupyter_server.

    Its ``log_message`` is a template for the ``%`` operator, even if the error has no arguments.
    """
    text = error.log_message or ""
    try:
        return text % error.args if error.args else text.replace("%%", "%")
    except (TypeError, ValueError):
        return text
