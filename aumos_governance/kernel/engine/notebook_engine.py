"""`NotebookEngine`, which decides about the actions of a notebook's code by requests to the notebook service."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from ... import money
from ...audit.logger import AuditLogger
from ...authority.authorization import Authorization, Begun, Ending, Granted, Settlement
from ...budget.manager import BudgetManager
from ...consent.manager import ConsentManager
from ...engine import GovernanceAction, GovernanceDecision
from ...errors import ConfigurationError, ConflictError
from ...trust.manager import TrustManager
from ...types import ActionKind
from ..requests.connection import Connection, at_limit_field, connect, current_cell
from ..requests.in_flight import InFlight, OnWaiting, StartedRequest
from ..requests.posted_requests import PostedRequest
from ..text.limit_line import LimitLine
from ..transports.spawned import is_worker
from .action_bodies import (
    AsyncNotebookGrant,
    NotebookGrant,
    action_body,
    check_body,
    ending_request,
    hold_body,
    read_decision,
    read_settlement,
    refusal_body,
    require_allowed,
)
from .user_prompt import user_at_prompt
from .waiting import showing_outcome, showing_wait
from .wire_realm import WireRealm


class NotebookEngine:
    """Decides what code in this notebook may do, within the notebook's governance session.

    `notebook_engine` returns the instance. It has the methods of `GovernanceEngine`. The user opens the session with
    ``%governance``. Trust levels of agents, budgets and consents that are set here end with the session. No agent gets
    a level above the session's level, and each budget is a part of the session's budget. An action that names no agent
    (``agent_id=""``) is an action of the session's own agent. The method that adds records of decisions made elsewhere
    raises NotAllowedError.

    Each method that needs a decision raises UnavailableError if there is none; then nothing is authorised.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        realm = WireRealm(self._request)
        self.trust = TrustManager(realm=realm)
        self.budget = BudgetManager(realm=realm)
        self.consent = ConsentManager(realm=realm)
        self.audit = AuditLogger(realm=realm)
        self.agent_id = ""
        """The agent of actions that name no agent; "" means the session's own agent."""
        self._waits_at_cell_end = False

    # ---- checks

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action without charging it, and return the decision.

        Trust is checked first, then the budget, then consent; the first check that fails denies the action. Raises
        ValueError if the action is not valid.
        """
        return read_decision(action, self._request("evaluate", check_body(action)))

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action like `evaluate_sync`, without blocking the event loop."""
        return read_decision(action, await self._request_async("evaluate", check_body(action)))

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record that the calling code itself refused an action, for example a call whose cost is not known.

        Nothing is checked or charged. ``code`` consists of capital letters and underscores, and ``reason`` is a
        sentence for users.
        """
        return read_decision(action, self._request("evaluate", refusal_body(action, code, reason)))

    # ---- charged work

    def begin(
        self, action: GovernanceAction, *, on_waiting: OnWaiting | None = None, timeout: float | None = None
    ) -> NotebookGrant:
        """Check an action and hold its amount in one step, and return the grant.

        The caller must settle or release the grant, once. Raises GovernanceDeniedError for a denied action, and the
        errors of `evaluate_sync`; then nothing is held.

        An action that needs approval waits until a user decides, for at most ``timeout`` seconds (by default as long as
        the server allows). ``on_waiting`` is called when the panel shows the approval request. If it is None, the
        cell's output shows that the action waits, and later the outcome. An interrupt withdraws the approval request.
        """
        op, body, waiting = self._authorization_request(action, on_waiting, timeout)
        request: StartedRequest | None = None
        try:
            with showing_wait(self._shell, body, waiting) as notify:
                request = self._connection().client.start(op, body, cell=current_cell(self._shell), on_waiting=notify)
                response = request.response()
                decision = require_allowed(action, response, in_panel=self._connection().has_panel)
            grant = NotebookGrant(self, decision, _nano(body), response.get("hold_id"))
            grant.report_id = response.get("report_id")
            return grant
        except BaseException:
            if request is not None:
                request.take_back()
            raise

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Send the request that `begin` makes for a paid call, and return before the decision.

        The method ``grant()`` of the returned object waits for the decision.
        """
        body = {**hold_body(action), **at_limit_field()}
        line = LimitLine(self._shell, body)
        request = self._connection().client.start(
            "hold", body, cell=current_cell(self._shell), on_waiting=line.show_waiting
        )
        return _Begun(self, action, body, request, line)

    async def begin_async(
        self, action: GovernanceAction, *, on_waiting: OnWaiting | None = None, timeout: float | None = None
    ) -> AsyncNotebookGrant:
        """Check an action and hold its amount like `begin`, without blocking the event loop.

        If the task is cancelled meanwhile, nothing stays held.
        """
        op, body, waiting = self._authorization_request(action, on_waiting, timeout)
        client, flight = self._connection().client, InFlight()
        try:
            with showing_wait(self._shell, body, waiting, blocks=False) as notify:
                cell = current_cell(self._shell)
                response = await client.request_async(op, body, cell=cell, on_waiting=notify, flight=flight)
                decision = require_allowed(action, response, in_panel=self._connection().has_panel)
            grant = AsyncNotebookGrant(self, decision, _nano(body), response.get("hold_id"))
            grant.report_id = response.get("report_id")
            return grant
        except BaseException:
            client.take_back(flight)
            raise

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Return a context manager that holds the action's amount, and charges the true cost after its block."""
        return Authorization(self, action)

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """Settle a grant at ``cost`` nano-USD, or release it if ``cost`` is None; `Grant` calls this."""
        request = ending_request(grant, cost, estimated=estimated)
        return read_settlement(grant, None if request is None else self._request(*request), estimated=estimated)

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """Settle or release a grant like `resolve`, without blocking the event loop."""
        request = ending_request(grant, cost, estimated=estimated)
        return read_settlement(
            grant, None if request is None else await self._request_async(*request), estimated=estimated
        )

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> Ending | None:
        """Settle or release a grant like `resolve`, but return as soon as the request is sent.

        The returned object gives the settlement later. When the cell ends, the kernel waits until it is recorded.
        Returns None if no request is needed, since nothing was held and nothing was paid.
        """
        request = ending_request(grant, cost, estimated=estimated)
        if request is None:
            return None
        connection = self._connection()
        if not self._waits_at_cell_end and self._shell is not None:
            self._waits_at_cell_end = True
            self._shell.events.register("post_run_cell", self._catch_up)
        posted = connection.client.post(*request, cell=current_cell(self._shell))
        return _PostedEnding(grant, posted, estimated)

    def _catch_up(self, _: object) -> None:
        # The panel then shows what a cell cost as soon as the cell has ended.
        self._connection().client.catch_up()

    # ---- requests

    def _connection(self) -> Connection:
        # It is looked up each time, since a forked child has a connection of its own.
        return connect(self._shell)

    def _request(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._connection().client.request(op, body, cell=current_cell(self._shell))

    async def _request_async(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._connection().client.request_async(op, body, cell=current_cell(self._shell))

    def _authorization_request(
        self, action: GovernanceAction, on_waiting: OnWaiting | None, timeout: float | None
    ) -> tuple[str, dict[str, Any], OnWaiting | None]:
        if ActionKind(action.kind) is ActionKind.CALL:
            if action.budget_amount is None:
                return "evaluate", check_body(action), None
            return "hold", {**hold_body(action), **at_limit_field()}, None
        body = {**action_body(action), **at_limit_field()}
        if timeout is not None:
            body["timeout"] = timeout
        connection = self._connection()
        if connection.decide is None:
            return "authorize", body, on_waiting
        decides = user_at_prompt(connection, self._shell)
        if decides is None:
            return "authorize", {**body, "wait": False}, None
        return "authorize", body, _prompting(decides, connection.decide, body["shown"])


def notebook_engine() -> NotebookEngine:
    """Return the engine of this notebook, whose decisions and charges belong to the notebook's governance session.

    In a kernel of a governed server, the session is on the server; elsewhere it is in a file of the embedded engine.
    With the magics loaded, `govern` and `governed` use this engine by default. Processes that multiprocessing starts
    from a governed kernel can use the engine too. Raises ConfigurationError in any other process that runs neither
    IPython nor a kernel.
    """
    global _engine  # noqa: PLW0603 - one process is one kernel
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None and not is_worker(os.environ):
        raise ConfigurationError(
            "notebook_engine() works only in a notebook's kernel or in IPython, and this code runs in neither; use"
            " GovernanceEngine() here."
        )
    found = _engine
    if found is None or found._shell is not shell:
        found = _engine = NotebookEngine(shell)
    return found


_engine: NotebookEngine | None = None


class _Begun:
    """A hold that `NotebookEngine.begin_ahead` has requested; `grant` waits for the decision. Implements `Begun`."""

    def __init__(
        self,
        engine: NotebookEngine,
        action: GovernanceAction,
        body: Mapping[str, Any],
        request: StartedRequest,
        line: LimitLine,
    ) -> None:
        self._line = line
        self._engine = engine
        self._action = action
        self._body = body
        self._started: StartedRequest | None = request

    def grant(self) -> NotebookGrant:
        assert self._started is not None
        with showing_outcome(self._line, self._body, blocks=True):
            response = self._started.response()
            decision = require_allowed(self._action, response, in_panel=self._engine._connection().has_panel)
        return NotebookGrant(self._engine, decision, _nano(self._body), response.get("hold_id"))

    def drop(self) -> NotebookGrant | None:
        request, self._started = self._started, None
        response = None if request is None else request.drop()
        if response is None or response.get("hold_id") is None:
            return None
        return NotebookGrant(
            self._engine, read_decision(self._action, response), _nano(self._body), response["hold_id"]
        )


class _PostedEnding:
    """A settlement or release that `NotebookEngine.resolve_soon` has sent, and whose result is read later.

    Implements `Ending`.
    """

    def __init__(self, grant: Granted, posted: PostedRequest, estimated: bool) -> None:
        self._grant = grant
        self._posted = posted
        self._estimated = estimated
        self.then = posted.then

    def result(self) -> Settlement:
        return read_settlement(self._grant, self._posted.result(), estimated=self._estimated)


def _nano(body: Mapping[str, Any]) -> int | None:
    return None if "amount" not in body else money.parse(body["amount"])


def _prompting(
    approves: Callable[[Mapping[str, Any]], bool], decide: Callable[[str, str, bool], None], shown: Mapping[str, Any]
) -> OnWaiting:
    def prompt(waiting: Mapping[str, Any]) -> None:
        approved = approves(shown)
        # The request may have been decided or have expired meanwhile, which the response to the action states.
        with contextlib.suppress(ConflictError):
            decide(waiting["approval_id"], waiting["digest"], approved)

    return prompt
