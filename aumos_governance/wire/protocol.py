"""The wire protocol (version 1) between a kernel and the server.

A kernel sends ``{"v": 1, "asks": [request, ...]}`` and gets ``{"v": 1, "answers": [response, ...]}``. There is one
response for each request, in any order and over any number of messages. (While an ``authorize`` or a ``hold`` waits,
the server also sends messages that state this.) The same bodies are sent on every transport.

A **request** is ``{"id", "op", "exp", "cell", ...}``:

- ``id``: the idempotency key. A request that is sent again with the same id and content is not executed again, and gets
  the same response.
- ``exp``: the time after which the server must not execute the request, in seconds since the epoch by the *server's*
  clock. It is at most 48 hours ahead, except for a ``hello``, whose client does not know that clock yet.
- ``cell``: ``{"id": str | null, "count": int | null}``, the id and the execution count of the cell that made the
  request.

A **response** is ``{"id", "ok": true, ...}`` or ``{"id", "ok": false, "code", "message"}``. A denied spend has ``ok``
true, since a denial is a decision; ``ok`` is false if there is no decision. The code ``BUSY`` means that too many
requests were in flight: nothing was done, and the same request may be sent again after a moment.

Amounts of money are decimal text in USD. The further fields of each request, and the fields of its response:

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

``incarnation`` is a nonce of the kernel process. Only the ``hello`` of a transport has it, and it applies to all later
requests on the transport. ``state`` is the body of ``GET state`` in the REST interface. ``previous`` is null or
``{"sessions", "spent", "budget", "closed_at"}``: the number of the notebook's closed sessions, what they spent
together, and the budget and the closing time of the last one. ``notes`` are sentences for the user.

``decision`` is ``{"outcome", "allowed", "code", "reasons", "record_id", "charge_id", "amount", "tool", "overrun",
"level", "limit"}``. ``level`` is the trust level that the decision was based on, the lower of the session's and the
agent's; it is null if the level was not checked. ``limit`` is null, or the limit that forbids the action: ``{"kind",
"name", "asked", "allowed"}``. Its kind is ``session`` or ``category`` for a budget, ``level`` or ``agent`` for a trust
level (then ``asked`` and ``allowed`` are whole numbers), and otherwise the kind of a ceiling around the session.

A request ``cell`` states which cell begins to run, by its field ``cell``, so that calls of the kernel's libraries
through the gateway are recorded with it. The server keeps only the last one, in memory, and a client need not wait for
the response.

``at_limit`` states what to do with a call that only a limit on money forbids: ``ask`` lets the call wait for a user's
decision, ``deny`` denies it at once.

A hold with ``least`` is *bounded*: its ``amount`` is the request's worst case, and the ``amount`` of the decision is
what was granted: the smallest of the worst case, ``most`` and a share of what is left, but at least ``least``; if less
is left, the hold is denied. A copy of the request is granted the same amount. With ``waits_turn``, a number of seconds,
a hold is not denied at once if it exceeds a limit only because of the pending holds of live callers. It waits for its
turn for at most this time, and is then decided like any other hold. While it waits, the server sends ``{"id", "ok":
true, "waiting": {"turn": true, "limit", "until"}}`` every few seconds, and a copy of the request with a later ``exp``
lets it wait longer, as for an ``authorize`` (below). If too many calls wait already, the code is ``BUSY``.

The ``kind`` of a hold is ``call`` (the default) or ``act``. ``until`` is when the hold is released automatically, in
seconds since the epoch by the server's clock; without it, never. An amount of 0 may be held and settled. A denied hold
has the ``hold_id`` null. ``detail`` is an object for the record, never with a prompt or a key.

An ``evaluate`` with ``refused``, ``{"code", "reason", "tool"?}``, is not checked: the kernel itself denied the action,
for example a call whose cost is not known, and the denial is recorded with this ``code`` and ``reason``.

``resolution`` is ``{"hold_id", "outcome", "held", "spent", "overrun", "estimated", "record_id"}``; its outcome is
``settled`` or ``released``. ``estimated`` is true if the true cost is not known and the amount is a bound. ``usage`` is
the usage that the provider counted, as whole numbers, and ``source`` the origin of the call, as the texts ``kind``,
``provider`` and ``key``; both are only written to the record.

A ``cancel`` voids a ``spend`` or ``hold`` that its client has given up, before or after its ``exp``, and never a
``settle`` or ``release``. An ``open`` or ``close`` that was executed is not undone; ``state`` is then the state after
it. ``delivered`` is true if the response had arrived and the client did not pass it on to its caller; the record of the
void then has ``delivered``. The record has ``answered`` if the request was executed a second or more before the cancel.
``found`` states what the ledger found for the request: ``charge`` (the charge is voided), ``resolved`` (the charge was
settled, released or corrected, and is not voided), ``no_charge`` (the request charged nothing), ``nothing`` (the
request is refused if it still arrives), or ``unknown``: the notebook is older than the 48 hours for which the ledger
keeps ids, so the request may have been executed before. ``voided`` is then false, and the request is refused if it
still arrives.

An ``adjust`` replaces a charge that was settled as ``estimated``, once, with the true cost that a later response of the
provider states. It names the charge by its ``hold_id``, or by the ``reference`` that it was settled with. The reference
has the provider's id of the response, so that another kernel of the notebook can name the charge too. ``adjustment`` is
``{"hold_id", "estimate", "spent", "overrun", "record_id"}``. An ``adjust`` that is refused changes nothing; its code is
``NOT_FOUND``, ``NOT_ESTIMATED``, ``ADJUSTED_ALREADY`` or, if a user has corrected the charge, ``CORRECTED``.

An ``authorize`` decides a governed action and holds its cost. ``shown`` is an object with the parts of the action that
the user must see. If a user must decide (code ``APPROVAL_REQUIRED``, which is the response if ``wait`` is false), the
response is sent after the user's decision, or after ``timeout`` seconds (by default the server's ``approval_timeout``).
Until then the server sends ``{"id", "ok": true, "waiting": {"approval_id", "digest", "until"}}`` every few seconds, and
at once for each copy of the request. A client that waits sends the request again from time to time, with a later
``exp``; once the last ``exp`` has passed, the approval request is withdrawn. A request with the same id gets the same
response, or waits for the same decision, also on another server with the same ledger. A ``cancel`` of an ``authorize``,
with ``act`` true, withdraws the approval request or voids the hold. At trust level L4 a report is filed before the
response; a ``settle`` or ``release`` adds the ``result`` to the report with this ``report_id``.

An agent's ``level`` and a category's ``budget`` are valid within the open session. No agent can have a level above the
session's. A ``level`` of null removes the agent's own level. On a strict server a kernel can only tighten levels and
budgets. ``agents`` are ``{"agent_id", "scope", "level", "assigned_by", "assigned_at"}``; a ``budget`` is ``{"category",
"period", "period_start", "limit", "spent", "held", "remaining", "over", "charges"}``. A ``consent`` is valid within the
session as well. With ``granted_by`` it is recorded, and without it revoked (without ``data_type``, all consents for the
agent are). ``since`` and ``until`` of ``audit``, and ``until`` of ``consent``, are whole microseconds since the epoch.
``total`` is null unless ``count`` is true.

``socket`` is null, or ``{"address", "token", "secret"}``: a local socket for the same messages, each as one line of
UTF-8 JSON; messages on the socket do not pass through a browser's page. ``address`` is the path of a Unix socket, or
``[host, port]`` on the loopback interface. The first line of a connection is ``{"v": 1, "token": token, "challenge":
text}``. Its response is ``{"v": 1, "ok": true, "proof": proof}``, where the proof is `socket_proof` of the secret and
the challenge, or ``{"v": 1, "ok": false, "code", "message"}`` and the end of the connection. The token identifies one
process of one kernel, which has sent its hello with it. Only this process and the server have the secret, so that
another process at the address, after the server has ended, cannot pass for the server.
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

PROTOCOL_VERSION: Final = 1
STRICT_ENV: Final = "AUMOS_GOVERNANCE_STRICT"
"""An environment variable of all processes that a strict server starts, so that none uses an embedded engine."""
KERNEL_ENV: Final = "KERNEL_AUMOS_GOVERNANCE"
"""An environment variable of governed kernels only, with the JSON ``{"v": 1, "kernel_id": ...}``."""
STARTUP_ENV: Final = "AUMOS_GOVERNANCE_STARTUP"
"""An environment variable with the user's own ``PYTHONSTARTUP``, which the server replaces for its kernels. A kernel's
start-up hook runs this file and restores ``PYTHONSTARTUP``."""
COMM_TARGET: Final = "aumos.governance"
COMM_PREFIX: Final = "aumos-gov-"
IOPUB_TOPIC: Final = b"comm-" + COMM_PREFIX.encode()
"""The only topic that the server subscribes to on a kernel's iopub channel."""
REPLY_TYPE: Final = "governance_reply"
"""The message type of responses on the control channel."""
EVENT_SCHEMA_ID: Final = "https://aumos.dev/jupyter/governance/state/v1"
OPS: Final = OPERATIONS.keys()
"""The operations that a kernel may request."""
HELLO_REQUIRED: Final = "HELLO_REQUIRED"
"""The code of the response if a client has sent no ``hello`` before its request. Nothing was done; the client must send
a ``hello``, and then the request again."""
MAX_REQUESTS: Final = 1_000
"""The most requests in one message."""
MAX_DEPTH: Final = 64
"""How many levels deep lists and objects may be nested in a field of a request."""
NESTED_TOO_DEEP: Final = f"A governance message must not be nested much deeper than {MAX_DEPTH} levels."
"""The message of the error for a message that is nested too deep for the JSON parser."""
MAX_LINE: Final = 4 * 1024 * 1024
"""The most bytes that one line on a local socket may have."""


@quick
@dataclass(frozen=True, slots=True)
class Cell:
    """The notebook cell that made a request: its id and execution count, each None if the kernel does not know it."""

    id: str | None = None
    count: int | None = None


@quick
@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request of a kernel to its server. ``body`` has the further fields of its operation, not validated yet."""

    id: str
    op: str
    exp: float
    """The request's expiry: after it, the server must not execute the request. In seconds since the epoch, by the
    server's clock."""
    cell: Cell = Cell()
    body: Mapping[str, Any] = field(default_factory=dict)

    def message(self) -> dict[str, Any]:
        """Return the request as the JSON object that is sent, with the fields of ``body`` beside ``id`` and ``op``."""
        return {
            **self.body,
            "id": self.id,
            "op": self.op,
            "exp": self.exp,
            "cell": {"id": self.cell.id, "count": self.cell.count},
        }


def requests_message(requests: list[WireRequest]) -> dict[str, Any]:
    """Return a kernel's message to the server, with these requests."""
    return {"v": PROTOCOL_VERSION, "asks": [request.message() for request in requests]}


def responses_message(responses: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the server's message to a kernel, with these responses."""
    return {"v": PROTOCOL_VERSION, "answers": responses}


def error_response(request_id: str | None, code: str, message: str) -> dict[str, Any]:
    """Return the response to a request that failed, so that there is no decision.

    ``code`` is the cause as a stable word, and ``message`` a sentence for the user. ``request_id`` is None if the
    request's id could not be read.
    """
    return {"id": request_id, "ok": False, "code": code, "message": message}


def socket_proof(secret: str, challenge: str) -> str:
    """Return the text with which a server proves to a kernel that it knows the secret of the local socket.

    It is the HMAC-SHA256 of the kernel's challenge, in hexadecimal.
    """
    return hmac.new(secret.encode("utf-8", "replace"), challenge.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def parse_requests(data: object) -> list[object]:
    """Return the requests in a kernel's message, each to be parsed with `parse_request`.

    Raises InvalidRequestError only if the message itself is invalid. So one invalid request does not affect the other
    requests of its message.
    """
    return _members(data, "asks")


def parse_responses(data: object) -> list[dict[str, Any]]:
    """Return the responses in a server's message. Raises InvalidRequestError if the message is invalid."""
    return [response for response in _members(data, "answers") if isinstance(response, dict)]


def parse_request(raw: object) -> WireRequest:
    """Return a request in a kernel's message as an object, after checking the fields that all requests have.

    Raises InvalidRequestError with the name of an invalid field.
    """
    if not isinstance(raw, Mapping):
        raise InvalidRequestError(f"A request must be an object, not {kind_of(raw)}.")
    body = dict(raw)
    request_id = body.pop("id", None)
    if not isinstance(request_id, str) or not 0 < len(request_id) <= MAX_TEXT:
        raise InvalidRequestError(f"A request's id must be text of 1 to {MAX_TEXT} characters.")
    if not is_text(request_id):
        raise InvalidRequestError("A request's id has a character that is not valid text: NUL or a lone surrogate.")
    op = body.pop("op", None)
    if not isinstance(op, str) or op not in OPS:
        known = ", ".join(sorted(OPS))
        raise InvalidRequestError(f"The op {shown(op)} is not known to this server, which knows {known}.")
    exp = body.pop("exp", None)
    if not is_number(exp, MAX_TIME):
        raise InvalidRequestError(f"A request's exp must be a number of seconds since the epoch, not {shown(exp)}.")
    for name, value in body.items():
        if isinstance(value, (dict, list)):
            _check_depth(name, value)
    return WireRequest(id=request_id, op=op, exp=float(exp), cell=_cell(body.pop("cell", None)), body=body)


def _check_depth(name: str, value: dict[str, Any] | list[Any]) -> None:
    # Without recursion: a RecursionError would end the reading of the whole message, with all its requests.
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
        raise InvalidRequestError(f"A governance message must have a list in its field {name}.")
    if len(members) > MAX_REQUESTS:
        raise InvalidRequestError(
            f"A governance message must have at most {MAX_REQUESTS} entries in its field {name}, but has"
            f" {len(members)}."
        )
    return members
