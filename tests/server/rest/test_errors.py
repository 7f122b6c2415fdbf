"""Every error class of the package has an HTTP status in `http_errors`."""

from __future__ import annotations

import pytest
from tornado.web import HTTPError

from aumos_governance import errors
from aumos_governance.server.rest.http_errors import describe

EXPECTED = {
    "AumOSGovernanceError": 500,
    "BudgetExceededError": 409,
    "BudgetNotFoundError": 404,
    "BusyError": 503,
    "ConfigurationError": 500,
    "ConflictError": 409,
    "ConsentDeniedError": 403,
    "ConsentNotFoundError": 404,
    "ExpiredError": 410,
    "GovernanceDeniedError": 403,
    "IdempotencyError": 409,
    "InvalidAmountError": 400,
    "InvalidPeriodError": 400,
    "InvalidRequestError": 400,
    "LedgerError": 503,
    "LedgerVersionError": 503,
    "NotConfirmedError": 503,
    "NotAllowedError": 403,
    "NotFoundError": 404,
    "ServerUnreachableError": 503,
    "TrustLevelError": 403,
    "UnavailableError": 503,
}


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name.endswith("Error")])
def test_every_error_has_its_status(name: str) -> None:
    kind = getattr(errors, name)
    error = kind.__new__(kind)
    error.message, error.code = "What was wrong.", kind.default_code
    assert describe(error) == (EXPECTED[name], {"code": kind.default_code, "message": "What was wrong."})


def test_what_failed_inside_is_not_shown() -> None:
    status, body = describe(ZeroDivisionError("a secret"))
    assert (status, body["code"]) == (500, "INTERNAL")
    assert "secret" not in body["message"]


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (HTTPError(403, "Only %s may.", "ada"), "FORBIDDEN", "Only ada may."),
        (HTTPError(404, "100% gone"), "NOT_FOUND", "100% gone"),
        (HTTPError(405), "METHOD_NOT_ALLOWED", "The server refused the request: Method Not Allowed."),
        (HTTPError(400, "%s and %s", "one"), "INVALID_REQUEST", "%s and %s"),
    ],
)
def test_the_servers_own_errors_keep_their_words(error: HTTPError, code: str, message: str) -> None:
    assert describe(error) == (error.status_code, {"code": code, "message": message})
