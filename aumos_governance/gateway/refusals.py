"""Makes the errors for requests that the gateway refuses, and the responses that report them to the client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from ..errors import ConfigurationError
from ..money import parse
from ..wire.denials import Denial
from ..wire.provider_keys import GATEWAY_ENV
from .dialects.api import ProviderApi, Refusal

_FROM: Final = "AumOS Governance"
METHOD_UNKNOWN: Final = "METHOD_UNKNOWN"
"""The code of the error for a request that the gateway does not forward, for example because it is not known whether
the request costs money."""
_NO_SESSION: Final = "NO_SESSION"


class RefusedError(Exception):
    """Raised where the gateway refuses a client's request; the client then gets the result of `response_of`.

    ``status`` is the HTTP status, ``code`` the code in the body, and ``headers`` are added to the response's headers.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.refusal = Refusal(status, code, message)
        self.headers = dict(headers or {})


def response_of(error: RefusedError, api: ProviderApi | None) -> web.Response:
    """Return the HTTP response that reports ``error`` in the form in which ``api`` reports its own errors.

    If ``api`` is None, because the request names no known provider, the body has the form of OpenAI's errors.
    """
    refusal = error.refusal
    body = _plain(refusal) if api is None else api.error(refusal)
    # The official client libraries do not retry with this header, since another attempt would be refused as well.
    again = refusal.status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT) or "retry-after" in error.headers
    headers = {**({} if again else {"x-should-retry": "false"}), "x-aumos-code": refusal.code, **error.headers}
    return web.Response(
        status=refusal.status,
        body=json.dumps(body).encode(),
        headers={"content-type": "application/json", **headers},
    )


def _plain(refusal: Refusal) -> Mapping[str, Any]:
    return {"error": {"message": refusal.message, "type": "gateway_error", "param": None, "code": refusal.code}}


def denial(decision: Mapping[str, Any], state: Mapping[str, Any] | None, notebook: str) -> RefusedError:
    """Return the error for a call that the ledger denied; its message states the reason and what the user can do.

    ``decision`` and ``state`` are fields of the service's response: the denial, and the state of the session.
    ``notebook`` is the notebook's path.
    """
    code = str(decision.get("code") or "GOVERNANCE_DENIED")
    if code == _NO_SESSION:
        return RefusedError(
            HTTPStatus.PAYMENT_REQUIRED,
            code,
            f"{_FROM}: governance is not active for {notebook or 'this notebook'}, so the call was not sent; start it"
            " in the Governance panel of JupyterLab.",
        )
    limit = decision.get("limit") or {}
    remaining = (state or {}).get("remaining")
    sentence = Denial(
        code,
        [str(reason) for reason in decision.get("reasons") or ()],
        str(decision.get("tool") or "the call"),
        _nano(limit.get("asked") or decision.get("amount")),
        None if remaining is None else _nano(remaining),
        limit.get("kind"),
        in_panel=True,
    ).sentence()
    return RefusedError(HTTPStatus.PAYMENT_REQUIRED, code, f"{_FROM}: {sentence}")


def no_decision(message: Mapping[str, Any]) -> RefusedError:
    """Return the error for a call about which the ledger has not decided, so that the call is not sent.

    ``message`` is the service's error response to the request for a hold.
    """
    code = str(message.get("code") or "UNAVAILABLE")
    if code.startswith("INVALID"):
        return RefusedError(HTTPStatus.BAD_REQUEST, code, f"{_FROM}: {message.get('message')}")
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        code,
        f"{_FROM}: there is no decision, so the call was not sent ({message.get('message')}). Try again when the"
        " Jupyter server's ledger responds; the server's log has the details.",
    )


def unmeasured(error: ConfigurationError, code: str, provider: str, like_openai: str = "") -> RefusedError:
    """Return the error for a call that is not sent, because its cost cannot be computed before it is sent.

    Args:
        error: Why the cost cannot be computed.
        code: The code of the error: `METHOD_UNKNOWN`, or another one if the prices are the reason.
        provider: The provider's name.
        like_openai: The path of the provider's OpenAI-compatible API below the gateway's address, for a hint in the
            message; empty if the provider has none.

    """
    if error.cause is None:
        return RefusedError(HTTPStatus.BAD_REQUEST, code, f"{_FROM}: {error.message}")
    if code != METHOD_UNKNOWN:
        advice = f"the administrator of this Jupyter server can state prices for {provider}"
    elif like_openai:
        advice = (
            f"for {provider} the gateway serves only the calls of OpenAI's API, such as chat completions, at the base"
            f" URL ${GATEWAY_ENV}{like_openai}"
        )
    else:
        advice = "make this call without the gateway, if the administrator of this Jupyter server allows that"
    return RefusedError(HTTPStatus.BAD_REQUEST, code, f"{_FROM}: {error.cause}; {advice}.")


def _nano(value: object) -> int:
    return parse(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else 0
