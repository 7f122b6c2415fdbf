"""The wire protocol (version 1) between a kernel and the server, written down once.

A kernel sends ``{"v": 1, "asks": [request, ...]}`` and gets ``{"v": 1, "answers": [response, ...]}``, one response
for each request, in any order and over any number of messages (an ``authorize`` also gets messages while it waits).
The same bodies travel on every transport.

A **request** is ``{"id", "op", "exp", "cell", ...}``:

- ``id``: the idempotency key. A request sent again with the same id and content gets its response again, and is not
  done again.
- ``exp``: seconds since the epoch in the *server's* clock after which the server must not do the request; at most
  48 hours ahead, but for a ``hello``, whose client does not know that clock yet.
- ``cell``: ``{"id": str | null, "count": int | null}``, the cell of the request (its id and execution count).

A **response** is ``{"id", "ok": true, ...}`` or ``{"id", "ok": false, "code", "message"}``. A denied spend is
``ok``: there is a decision, a denial. ``ok: false`` means that there is no decision. With the code ``BUSY`` too
many requests were in flight: nothing was done, and the same request may be sent again after a moment.

Money is decimal text in USD. What each op carries beyond that, and its response:

========  ====================================================  ===============================================
op        request                                               response
========  ====================================================  ===============================================
hello     ``version, python, incarnation``                      ``version, server_time, notebook, shared_with,
                                                                strict, default_trust_level, default_budget,
                                                                socket``
open      ``trust_level?, budget?, agent_id?, new?``            ``state, opened, resumed, previous, notes``
status    (nothing)                                             ``state, previous``
spend     ``amount, tool?, already_paid?, category?,            ``decision, state``
          agent_id?, note?, at_limit?``
hold      ``amount, tool?, kind?, required_level?, category?,   ``decision, hold_id, state``
          agent_id?, action_type?, resource?, scope?,
          data_type?, purpose?, detail?, until?,
          at_limit?, least?, most?, waits_turn?``
settle    ``hold_id, amount, estimated?, reference?,            ``resolution, state``
          usage?, source?, report_id?, result?``
release   ``hold_id, report_id?, result?``                      ``resolution, state``
adjust    ``amount, hold_id?, reference?``                      ``adjustment, state``
authorize ``amount, shown, tool?, required_level?, category?,   ``decision, hold_id, report_id, state``, and before
          agent_id?, action_type?, resource?, scope?,           it any number of ``waiting``
          data_type?, purpose?, detail?, timeout?, wait?,
          at_limit?``
evaluate  ``agent_id?, required_level?, scope?, category?,      ``decision``
          amount?, action_type?, resource?, data_type?,
          purpose?, detail?, refused?``
trust     ``agent_id, level, scope?, assigned_by?``             ``level, removed``
agents    (nothing)                                             ``session_level, agents``
budget    ``category, limit, period?, create?``                 ``budget, created, changed``
budgets   ``category?``                                         ``budgets``
consent   ``agent_id, data_type?, purpose?, granted_by?,        ``consent, revoked``
          until?``
consents  ``agent_id?, data_type?, purpose?``                   ``consents``
cell      (nothing)                                             (nothing)
close     (nothing)                                             ``state``
audit     ``limit?, agent_id?, outcome?, event?, tool?,         ``records, cursor, total`` (newest last, unless
          action_type?, resource?, since?, until?,              ``oldest_first``)
          decisions?, oldest_first?, cursor?, count?``
cancel    ``of`` (the id of the request to void), ``act?``,         ``voided, found, state?``
          ``delivered?``
========  ====================================================  ===============================================

``incarnation`` is a nonce of the kernel process; it belongs to the hello of a transport, later requests
inherit it. ``state`` is the body of ``GET state`` in the REST interface. ``previous`` is ``null`` or ``{"sessions",
"spent", "budget", "closed_at"}``: how many sessions of the notebook were closed before, what they spent
together, and the last one's ceiling. ``notes`` are sentences for the user. ``decision`` is ``{"outcome",
"allowed", "code", "reasons", "record_id", "charge_id", "amount", "tool", "overrun", "level", "limit"}``; ``level`` is
the trust level at which it was decided, the lower of the session's and the agent's, and null where that played no part.
``limit`` is null, or the limit that forbids it: ``{"kind", "name", "asked", "allowed"}``, its kind ``session`` or
``category`` for a budget, ``level`` or ``agent`` for a trust level (whose two numbers are whole), else that of a
ceiling around the session.

A ``cell`` says which cell begins, by its own ``cell``, so that calls of the kernel's libraries through the gateway are
recorded with it. The server keeps the last one in memory, and a client need not wait for the response.

``at_limit`` is what becomes of a call that only a limit on money refuses: ``ask`` or ``deny``.

A hold with ``least`` is *bounded*: its ``amount`` is the request's worst case, and the ``amount`` of its decision is
what was granted: the smallest of that, ``most`` and a share of what is left, at least ``least``, or else it is denied.
A copy gets what the first one was granted. With ``waits_turn``, a number of seconds, a hold that only the open holds of
live callers keep from fitting is not denied: it waits for its turn, for at most so long, and then is decided as ever.
Until then ``{"id", "ok": true, "waiting": {"turn": true, "limit", "until"}}`` comes every few seconds, and a
copy of the request with a later ``exp`` keeps it waiting, as below. Where too many wait already the code is ``BUSY``.

A hold is of ``kind`` ``call`` (as left out) or ``act``; ``until`` is when it ends by itself, in seconds since the
epoch in the server's clock, and left out it does not; 0 is an amount to hold and to settle. A denied hold has
``hold_id`` null. ``detail`` is an object that the record keeps: never a prompt or a key. An ``evaluate`` with
``refused``, ``{"code", "reason", "tool"?}``, is checked no more: the kernel's own side refuses it, such as a call whose
cost is not known, and it is denied and recorded with that ``code`` and ``reason``. ``resolution`` is
``{"hold_id", "outcome", "held", "spent", "overrun", "estimated", "record_id"}``, its outcome ``settled`` or
``released``; ``estimated`` when the true cost is not known, and the amount is a bound. ``usage`` is what the
provider counted, whole numbers by name, and ``source`` whose call it was, texts by the names ``kind``, ``provider`` and
``key``; both are for the record alone. A ``cancel`` takes back a
``spend`` or ``hold`` whose client gave it up, before or after its ``exp``, and never a ``settle`` or ``release``; an
``open`` or ``close`` that was executed stands, and ``state`` says how things are then. With ``delivered`` true the
response had arrived, and the client did not hand it over: the record of the void says so. It says ``answered`` where
the response was sent a second before the cancel or earlier. ``found`` is what the ledger had of the request:
``charge`` (taken back), ``resolved`` (it was settled, released or corrected, and stands),
``no_charge`` (it charged nothing), ``nothing`` (it is refused if it still comes), or ``unknown``: the notebook is older
than the 48 hours for which the ledger keeps ids, so that the request may have been done before; ``voided`` is then
false, and the request is refused if it still comes.

An ``adjust`` gives a charge that was settled as ``estimated`` its true cost, once, as a later response of the provider
states it. It names the charge by its ``hold_id``, or by the ``reference`` that it was settled with: the provider's name
for its response, by which another kernel of the notebook finds the charge too. ``adjustment`` is ``{"hold_id",
"estimate", "spent", "overrun", "record_id"}``. Refused with ``NOT_FOUND``, ``NOT_ESTIMATED``, ``ADJUSTED_ALREADY``, or
``CORRECTED`` where a user has corrected the charge, it changes nothing.

An ``authorize`` decides a governed action and holds its cost. ``shown`` is what the user must see of it, an object.
Where a user must decide (code ``APPROVAL_REQUIRED``, which with ``wait`` false is the response), the response is sent
after the decision, or when ``timeout`` seconds are over (the server's ``approval_timeout``, where it is left out).
Until then the server sends ``{"id", "ok": true, "waiting": {"approval_id", "digest", "until"}}`` every few seconds,
and at once for each copy of the request. The waiting client sends the request again from time to time with a later
``exp``; once that has passed, the approval request is withdrawn. The same id gets the same response, and goes on
waiting for the same decision, also at the next server on the same ledger. A ``cancel`` of it, with ``act`` true,
withdraws the approval request or voids the hold. At trust level L4 a report is filed before the response, whose
``report_id`` a ``settle`` or ``release`` names to add its ``result``.

An agent's ``level`` and a category's ``budget`` live within the open session. No agent is given a level above the
session's; null takes its own away. On a strict server both can only be tightened from a kernel. ``agents`` are
``{"agent_id", "scope", "level", "assigned_by", "assigned_at"}``; a ``budget`` is ``{"category", "period",
"period_start", "limit", "spent", "held", "remaining", "over", "charges"}``. A ``consent`` lives within the session
too: ``granted_by`` gives it, and without that it is taken back (all of the agent's, where no ``data_type`` is
named). ``since`` and ``until`` of ``audit``, and ``until`` of ``consent``, are whole microseconds since the epoch,
and ``total`` is null unless ``count`` is true.

``socket`` is null, or ``{"address", "token", "secret"}``: a local socket that carries the same messages without any
page taking notice, one a line of UTF-8 JSON. ``address`` is the path of a Unix socket, or ``[host, port]`` on loopback.
The first line of a connection is ``{"v": 1, "token": token, "challenge": text}``, and its response ``{"v": 1, "ok":
true, "proof": `socket_proof` of secret and challenge}``, or ``{"v": 1, "ok": false, "code", "message"}`` and the end
of the connection. The token stands for one process of one kernel, which has sent its hello with it. Only the two have
the secret, so that another process at that address, after the server's end, cannot pass for the server.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from ..errors import InvalidRequestError
from ..frozen import quick
from .fields import MAX_TEXT, MAX_TIME, is_number, is_text, kind_of, shown
from .operations import OPERATIONS

__all__ = [
    "COMM_PREFIX",
    "COMM_TARGET",
    "EVENT_SCHEMA_ID",
    "HELLO_REQUIRED",
    "IOPUB_TOPIC",
    "KERNEL_ENV",
    "MAX_DEPTH",
    "MAX_LINE",
    "MAX_REQUESTS",
    "MAX_TEXT",
    "MAX_TIME",
    "NESTED_TOO_DEEP",
    "OPS",
    "PROTOCOL_VERSION",
    "REPLY_TYPE",
    "STARTUP_ENV",
    "STRICT_ENV",
    "Cell",
    "WireRequest",
    "error_response",
    "is_number",
    "is_text",
    "parse_request",
    "parse_requests",
    "parse_responses",
    "requests_message",
    "responses_message",
    "shown",
    "socket_proof",
]

PROTOCOL_VERSION: Final = 1
STRICT_ENV: Final = "AUMOS_GOVERNANCE_STRICT"
"""In the environment of all that a strict server starts, so that no child process decides for itself."""
KERNEL_ENV: Final = "KERNEL_AUMOS_GOVERNANCE"
"""Set for a governed kernel alone: JSON ``{"v": 1, "kernel_id": ...}``."""
STARTUP_ENV: Final = "AUMOS_GOVERNANCE_STARTUP"
"""The user's own ``PYTHONSTARTUP``, for the start-up hook of a kernel to run and set again."""
COMM_TARGET: Final = "aumos.governance"
COMM_PREFIX: Final = "aumos-gov-"
IOPUB_TOPIC: Final = b"comm-" + COMM_PREFIX.encode()
"""All that the server subscribes to on a kernel's iopub channel."""
REPLY_TYPE: Final = "governance_reply"
"""The message type of responses on the control channel."""
EVENT_SCHEMA_ID: Final = "https://aumos.dev/jupyter/governance/state/v1"
OPS: Final = OPERATIONS.keys()
"""What a kernel may request, as `operations` has it."""
HELLO_REQUIRED: Final = "HELLO_REQUIRED"
"""The code of the response to a request before any hello: nothing was done; say hello and make it again."""
MAX_REQUESTS: Final = 1_000
"""The most requests in one message."""
MAX_DEPTH: Final = 64
"""The most lists and objects within one another that a field may hold."""
NESTED_TOO_DEEP: Final = f"A governance message must not be nested much deeper than {MAX_DEPTH} levels."
"""The refusal of one that the reader of JSON gives up."""
MAX_LINE: Final = 4 * 1024 * 1024
"""The most bytes of one line on a local socket."""


@quick
@dataclass(frozen=True, slots=True)
class Cell:
    """The cell that makes the request, as far as the kernel knows it."""

    id: str | None = None
    count: int | None = None


@quick
@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request as it came over a transport, its form checked and its content not yet."""

    id: str
    op: str
    exp: float
    """Seconds since the epoch in the server's clock."""
    cell: Cell = Cell()
    body: Mapping[str, Any] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """The request as it goes on the wire."""
        return {
            **self.body,
            "id": self.id,
            "op": self.op,
            "exp": self.exp,
            "cell": {"id": self.cell.id, "count": self.cell.count},
        }


def requests_message(requests: list[WireRequest]) -> dict[str, Any]:
    """A kernel's message to the server."""
    return {"v": PROTOCOL_VERSION, "asks": [request.message() for request in requests]}


def responses_message(responses: list[dict[str, Any]]) -> dict[str, Any]:
    """The server's message to a kernel."""
    return {"v": PROTOCOL_VERSION, "answers": responses}


def error_response(request_id: str | None, code: str, message: str) -> dict[str, Any]:
    """The response to a request that has no decision; ``request_id`` is None when even that could not be read."""
    return {"id": request_id, "ok": False, "code": code, "message": message}


def socket_proof(secret: str, challenge: str) -> str:
    """The response to a challenge, which needs the secret: its HMAC-SHA256, in hexadecimal."""
    return hmac.new(secret.encode("utf-8", "replace"), challenge.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def parse_requests(data: object) -> list[object]:
    """The unparsed requests of a kernel's message.

    Raises InvalidRequestError when the whole message cannot be used, so that one bad request does not take the
    others of its message down: those are read one by one with `parse_request`.
    """
    return _members(data, "asks")


def parse_responses(data: object) -> list[dict[str, Any]]:
    """The responses of a server's message; raises InvalidRequestError when it cannot be used."""
    return [response for response in _members(data, "answers") if isinstance(response, dict)]


def parse_request(raw: object) -> WireRequest:
    """Check the form of one request; raises InvalidRequestError with a sentence that names the bad field."""
    if not isinstance(raw, Mapping):
        raise InvalidRequestError(f"A request must be an object, not {kind_of(raw)}.")
    body = dict(raw)
    request_id = body.pop("id", None)
    if not isinstance(request_id, str) or not 0 < len(request_id) <= MAX_TEXT:
        raise InvalidRequestError(f"A request's id must be text of 1 to {MAX_TEXT} characters.")
    if not is_text(request_id):
        raise InvalidRequestError("A request's id has a character that is not valid text.")
    op = body.pop("op", None)
    if not isinstance(op, str) or op not in OPS:
        known = ", ".join(sorted(OPS))
        raise InvalidRequestError(f"The op {shown(op)} is not known to this server, which knows {known}.")
    exp = body.pop("exp", None)
    if not is_number(exp, MAX_TIME):
        raise InvalidRequestError("A request's exp must be a number of seconds since the epoch.")
    for name, value in body.items():
        if isinstance(value, (dict, list)):
            _check_depth(name, value)
    return WireRequest(id=request_id, op=op, exp=float(exp), cell=_cell(body.pop("cell", None)), body=body)


def _check_depth(name: str, value: dict[str, Any] | list[Any]) -> None:
    # Level by level: what is nested too deep for one call each would end the reading of all that came with it.
    level = [value]
    for _ in range(MAX_DEPTH):
        members = chain.from_iterable(each.values() if isinstance(each, dict) else each for each in level)
        level = [member for member in members if isinstance(member, (dict, list))]
        if not level:
            return
    raise InvalidRequestError(f"The field {name[:40]!r} is nested more than {MAX_DEPTH} levels deep.")


def _cell(raw: object) -> Cell:
    if raw is None:
        return Cell()
    if not isinstance(raw, Mapping):
        raise InvalidRequestError(f"A request's cell must be an object, not {kind_of(raw)}.")
    cell_id, count = raw.get("id"), raw.get("count")
    if cell_id is not None and not (isinstance(cell_id, str) and len(cell_id) <= MAX_TEXT and is_text(cell_id)):
        raise InvalidRequestError(f"A cell's id must be text of at most {MAX_TEXT} characters or null.")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < 2**63):
        raise InvalidRequestError("A cell's count must be a whole number or null.")
    return Cell(cell_id, count)


def _members(data: object, name: str) -> list[Any]:
    if not isinstance(data, Mapping):
        raise InvalidRequestError(f"A governance message must be an object, not {kind_of(data)}.")
    version = data.get("v")
    if version != PROTOCOL_VERSION or isinstance(version, bool):
        raise InvalidRequestError(
            f"The governance protocol version is {shown(version)}, and this side speaks version {PROTOCOL_VERSION};"
            " install the same version of aumos-governance for the kernel and the server."
        )
    members = data.get(name)
    if not isinstance(members, list):
        raise InvalidRequestError(f"A governance message must have a list of {name}.")
    if len(members) > MAX_REQUESTS:
        raise InvalidRequestError(f"A governance message must have at most {MAX_REQUESTS} {name}.")
    return members
