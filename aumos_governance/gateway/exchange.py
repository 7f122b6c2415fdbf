"""Serves one request of a client: checks its key, holds its worst case, forwards it, returns the response, settles.

A request with its response is called an *exchange*; the HTTP server in `listener` makes an `Exchange` for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from .. import money
from ..integrations.guarding.calls import ApiRequest, Paid
from ..service.callers import Caller
from ..wire.fields import MAX_TEXT
from .bodies import Bodies, Body
from .charges import OpenCharge
from .contract import Holder, Keys
from .dialects.api import ClientCall
from .headers import from_provider, secrets_of, without_secret
from .later import later_reader, reference_of
from .measuring import Measured
from .passing import BROKEN, broken_off, pass_on, pass_unpaid
from .refusals import RefusedError, denial, no_decision, response_of
from .sending import Sending
from .service_requests import ServiceRequests
from .upstreams import NOT_SENT, Destination

_PREFIX: Final = "/llm/"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "DELETE"})
_RECORDED: Final = frozenset({"METHOD_UNKNOWN", "PRICE_UNKNOWN", "CANNOT_BE_HELD", "MODEL_NOT_ALLOWED", "MAX_HOLD"})
"""The codes of the gateway's own refusals that it records in the notebook's audit trail. The ledger records its denials
itself."""
_TURN_SECONDS: Final = 60
"""How long, in seconds, a call may wait for other calls to end, if it would exceed the budget only because of the
amounts that are held for them."""
LIMIT_HEADER: Final = "x-aumos-output-limit"
"""The name of the response header that states the output limit, in tokens, that the gateway put into the client's
request."""


@dataclass(frozen=True, slots=True)
class SharedParts:
    """What all exchanges of one running gateway use, such as its connections to the providers and its clients' keys."""

    destinations: Mapping[str, Destination]
    keys: Keys
    service: ServiceRequests
    bodies: Bodies
    incarnation: str
    """The id of this process of the gateway, which owns all holds for calls through it. So a hold becomes *outcome
    unknown* when the gateway's process ends, and not when the kernel that made the call ends."""
    log: logging.Logger


class Exchange:
    """One request of a client and its response. The HTTP server calls `identify`, and then `respond` once."""

    def __init__(self, shared: SharedParts, request: web.BaseRequest) -> None:
        self._shared = shared
        self._request = request
        self._body: Body | None = None
        self._sending: Sending | None = None
        self._secret = ""
        self._charge: OpenCharge | None = None
        self.destination: Destination | None = None
        self.holder: Holder | None = None

    async def respond(self) -> web.StreamResponse:
        """Serve the request, and return the provider's response or an error response.

        `identify` must have been called before. When this method ends, the call's hold is settled or released.
        """
        try:
            return await self._respond()
        except RefusedError as refused:
            self._record(refused)
            return self.refusal_response(refused)
        except Exception:
            self._shared.log.exception(
                "The gateway could not serve a request because of an unexpected error; its client gets status 500."
            )
            if self._request.writer.output_size and self._request.transport is not None:
                # Part of a response was sent already, and the client must not take it for a whole one.
                self._request.transport.abort()
            return self.refusal_response(
                RefusedError(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    "INTERNAL",
                    "AumOS Governance: the gateway could not serve this request because of an error of its own; the"
                    " Jupyter server's log has the details.",
                )
            )
        finally:
            if self._charge is not None:
                # The hold is still open if, for example, the client disconnected before the provider responded.
                self._charge.abandon()
            if self._sending is not None:
                self._sending.close()
            if self._body is not None:
                self._body.close()

    def refusal_response(self, refused: RefusedError) -> web.StreamResponse:
        """Return the error response that reports ``refused`` in the form of the API that the client uses."""
        return response_of(refused, None if self.destination is None else self.destination.api)

    def identify(self) -> None:
        """Set `holder` from the gateway key in the request, and `destination` from the provider's name in its path.

        Raises RefusedError if the key or the provider is not known, or if no call with this key is authorized now.
        """
        request = self._request
        rest = request.rel_url.raw_path
        name, _, _ = rest.removeprefix(_PREFIX).partition("/")
        if not rest.startswith(_PREFIX) or "/" not in rest[len(_PREFIX) :]:
            raise _not_found("the gateway serves the providers' APIs only at /llm/<provider>/")
        self.destination = self._shared.destinations.get(name)
        found = (
            (secret, holder)
            for secret in secrets_of(request.headers, request.rel_url.raw_query_string)
            if (holder := self._shared.keys.find(secret)) is not None
        )
        self._secret, self.holder = next(found, ("", None))
        if self.holder is None:
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "UNAUTHORIZED",
                "AumOS Governance: this is not a valid key of this Jupyter server. Use the key that is in the"
                " environment of its kernels and terminals (restart them for a new one), or make one with"
                " 'jupyter governance key'; a provider's own key is not accepted here.",
            )
        if self.destination is None:
            known = ", ".join(sorted(self._shared.destinations)) or "none"
            raise _not_found(f"there is no provider {name[:40]!r} on this Jupyter server; configured: {known}")
        if self.holder.refusal is not None:
            raise RefusedError(HTTPStatus.PAYMENT_REQUIRED, "NO_NOTEBOOK", f"AumOS Governance: {self.holder.refusal}")

    async def _respond(self) -> web.StreamResponse:
        request = self._request
        destination, holder = self.destination, self.holder
        assert destination is not None
        assert holder is not None
        if request.method not in _METHODS or request.headers.get("upgrade"):
            raise RefusedError(
                HTTPStatus.METHOD_NOT_ALLOWED,
                "METHOD_UNKNOWN",
                "AumOS Governance: this request was not forwarded; the gateway forwards GET, POST and DELETE requests,"
                " but no other methods and no WebSockets.",
            )
        name = destination.upstream.name
        path = request.rel_url.raw_path[len(_PREFIX) + len(name) :]
        if path.startswith(f"{destination.base_path}/"):
            path = path[len(destination.base_path) :]
        if any(part in (".", "..") for part in unquote(unquote(path)).replace("\\", "/").split("/")):
            raise _not_found("the path has a segment . or .., which the gateway does not forward; use the full path")
        query = without_secret(request.rel_url.raw_query_string, self._secret)
        sending = self._sending = Sending(destination, request, query, self._secret)
        body = self._body = Body(self._shared.bodies, holder.key_id)
        content = await body.read(request)
        size = len(content)
        api_request = await self._api_request(sending, body, f"{path}?{query}" if query else path, content)
        found = await destination.measuring.measure(api_request, size)
        await sending.read_key()
        if isinstance(found, ClientCall):
            return await self._forward_free(destination, sending, found, content)
        if not sending.is_form:
            # The parsed values are enough: the bytes need not take memory as well for a call that may last long.
            content = b""
        elif destination.api.output_limit(found.call.request) is not None:
            raise _no_form(found.paid.name)
        measured = await self._hold(destination, holder, found, size)
        content = await sending.paid_content(measured, body, content, size)
        return await self._forward_paid(destination, sending, measured, content, body)

    async def _api_request(self, sending: Sending, body: Body, path: str, content: bytes) -> ApiRequest:
        files: tuple[int | None, ...] = ()
        values: Mapping[str, Any]
        if sending.is_form:
            values, files = await body.form(content, self._request.headers["content-type"])
        else:
            values = await body.json_object(content)
        return ApiRequest(self._request.method, path, values, files=files, bare=sending.is_bare(path, values))

    # ---- the hold

    async def _hold(self, destination: Destination, holder: Holder, found: Measured, size: int) -> Measured:
        """Hold the worst case of the call ``found``, and return the call to send.

        If the ledger grants a lower amount, the returned call has a lower output limit, so that it costs no more than
        that. ``size`` is the size of the request's body in bytes. Raises RefusedError if the ledger denies the hold or
        does not decide.
        """
        measuring, upstream = destination.measuring, destination.upstream
        least = await measuring.least(found, size)
        if upstream.max_hold is not None and least > upstream.max_hold:
            raise RefusedError(
                HTTPStatus.PAYMENT_REQUIRED,
                "MAX_HOLD",
                f"AumOS Governance: the call may cost {money.display(least)} even with a short response, and at most"
                f" {money.display(upstream.max_hold)} is held for one call to {upstream.name} on this Jupyter server;"
                " send less input, or ask its administrator to raise max_hold.",
            )
        source = {"kind": "gateway", "provider": upstream.name, "key": holder.name[:MAX_TEXT]}
        body: dict[str, Any] = {
            "amount": money.to_text(found.worst),
            "waits_turn": _TURN_SECONDS,
            "tool": found.paid.model[:MAX_TEXT] or "unknown",
            "action_type": found.paid.name,
            "detail": source,
        }
        if least < found.worst:
            body["least"] = money.to_text(least)
            if upstream.max_hold is not None and upstream.max_hold < found.worst:
                body["most"] = money.to_text(upstream.max_hold)
        caller = self._caller(holder)
        response = await self._shared.service.request(caller, "hold", body)
        if not response.get("ok"):
            raise no_decision(response)
        decision = response["decision"]
        if not decision["allowed"]:
            raise denial(decision, response.get("state"), caller.notebook.path)
        granted = money.parse(decision["amount"])
        reference = partial(reference_of, destination)
        self._charge = OpenCharge(
            self._shared.service, caller, response["hold_id"], granted, found.paid, reference, source
        )
        fitted = await measuring.fitted(found, granted, size)
        assert fitted is not None, "a hold grants at least the requested `least`, with which the call fits"
        self._charge.paid = fitted.paid
        return fitted

    def _caller(self, holder: Holder) -> Caller:
        return replace(holder.caller, incarnation=self._shared.incarnation)

    def _record(self, refused: RefusedError) -> None:
        """Record in the notebook's audit trail a refusal by the gateway itself, if its code is in `_RECORDED`."""
        refusal = refused.refusal
        if refusal.code not in _RECORDED:
            return
        assert self.holder is not None
        body = {
            "action_type": f"{self._request.method} {self._request.path}"[:MAX_TEXT],
            "refused": {"code": refusal.code, "reason": refusal.message[:MAX_TEXT]},
        }
        self._shared.service.post(self._caller(self.holder), "evaluate", body)

    # ---- the provider

    async def _forward_free(
        self, destination: Destination, sending: Sending, call: ClientCall, content: bytes
    ) -> web.StreamResponse:
        name = destination.upstream.name
        try:
            response = await sending.send_free(call, content or None)
        except NOT_SENT as error:
            raise _unreachable(name, error) from None
        except BROKEN as error:
            raise broken_off(name, error, paid=False) from None
        self._refuse_unusable(destination, response)
        assert self.holder is not None
        later = later_reader(destination, call.request, self._shared.service, self._caller(self.holder))
        headers = from_provider(response.headers, sending.key)
        return await pass_unpaid(self._request, response, headers, sending.key, name, later)

    async def _forward_paid(
        self, destination: Destination, sending: Sending, measured: Measured, content: bytes, body: Body
    ) -> web.StreamResponse:
        charge, name = self._charge, destination.upstream.name
        assert charge is not None
        paid = measured.paid
        try:
            charge.sent = True
            response = await sending.send_paid(measured, content, body)
        except NOT_SENT as error:
            charge.release()
            raise _unreachable(name, error) from None
        except BROKEN as error:
            # `respond` abandons the charge, which charges it as an estimate.
            raise broken_off(name, error) from None
        headers = from_provider(response.headers, sending.key)
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            charge.release()
            self._refuse_unusable(destination, response)
            return await pass_unpaid(self._request, response, headers, sending.key, name)
        if measured.limited_to is not None:
            headers[LIMIT_HEADER] = str(measured.limited_to)
        kind = response.headers.get("content-type", "")
        reader = destination.api.reader(paid, kind)
        return await pass_on(
            self._request,
            response,
            headers,
            charge,
            reader,
            streamed=_is_stream(kind, paid),
            key=sending.key,
            name=name,
            process=self._shared.bodies.process,
        )

    def _refuse_unusable(self, destination: Destination, response: aiohttp.ClientResponse) -> None:
        """Raise RefusedError if the response is a redirect, or states that the provider refused the server's key.

        These responses are not forwarded, since no client could do anything about them.
        """
        name = destination.upstream.name
        if HTTPStatus.MULTIPLE_CHOICES <= response.status < HTTPStatus.BAD_REQUEST:
            # A client that followed it would send its key, and an unmeasured call, past the gateway.
            raise RefusedError(
                HTTPStatus.BAD_GATEWAY,
                "UPSTREAM_REDIRECTS",
                f"AumOS Governance: {name} redirects to another address, which the gateway does not follow; the"
                " administrator of this Jupyter server can set its base_url to the right one.",
                headers={"x-should-retry": "false"},
            )
        if response.status == HTTPStatus.UNAUTHORIZED:
            raise RefusedError(
                HTTPStatus.BAD_GATEWAY,
                "UPSTREAM_KEY_REFUSED",
                f"AumOS Governance: {name} refused the API key of this Jupyter server; ask the server's administrator"
                " to replace the key.",
                headers={"x-should-retry": "false"},
            )


def _is_stream(content_type: str, paid: Paid) -> bool:
    # Google may send a stream as one JSON array.
    return getattr(paid, "sends_array", False) or content_type.startswith(
        ("text/event-stream", "application/vnd.amazon.eventstream")
    )


def _no_form(name: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        f"AumOS Governance: {name} was sent as a form, so it was not forwarded; send it as JSON.",
    )


def _not_found(what: str) -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, "NOT_FOUND", f"AumOS Governance: {what}.")


def _unreachable(name: str, error: Exception) -> RefusedError:
    if isinstance(error, asyncio.TimeoutError):
        return RefusedError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "UPSTREAM_TIMEOUT",
            f"AumOS Governance: {name} did not accept the connection in time, so nothing was sent or charged; make the"
            " request again later.",
        )
    return RefusedError(
        HTTPStatus.BAD_GATEWAY,
        "UPSTREAM_UNREACHABLE",
        f"AumOS Governance: {name} cannot be reached, so nothing was sent or charged; make the request again later.",
    )
