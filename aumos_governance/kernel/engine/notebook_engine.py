"""The engine of the notebook in whose kernel this runs: its server's, or the embedded one."""

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
from ..requests.in_flight import InFlight, OnWaiting, Started
from ..requests.posted_requests import PostedRequest
from ..requests.session import Link, at_limit_field, current_cell, link
from ..text.limit_line import LimitLine
from ..transports.spawned import is_worker
from .action_bodies import (
    AsyncNotebookGrant,
    NotebookGrant,
    action_body,
    allowed,
    check_body,
    decided,
    ending,
    hold_body,
    refusal_body,
    settled,
)
from .user_prompt import user_at_prompt
from .waiting import until_decided, waited
from .wire_realm import WireRealm

__all__ = ["NotebookEngine", "notebook_engine"]


class NotebookEngine:
    """What this notebook's agents may do, decided within its governance session; `notebook_engine` gives it.

    It is used as `GovernanceEngine` is. An agent's level counts up to the session's, a budget is an envelope inside the
    session's, and both end with the session, which ``%governance`` opens; so do consents. An action that names no agent
    (``agent_id=""``) is that of the session's agent. Records of what was decided elsewhere are not kept here: a
    request for one raises NotAllowedError.

    Each method that needs a decision raises UnavailableError where there is none: then nothing is authorised.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        realm = WireRealm(self._request)
        self.trust = TrustManager(realm=realm)
        self.budget = BudgetManager(realm=realm)
        self.consent = ConsentManager(realm=realm)
        self.audit = AuditLogger(realm=realm)
        self.agent_id = ""
        """The agent of calls that name none: empty, which means the session's own."""
        self._follows = False

    # ---- checks

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action: trust, then budget, then consent; the first that fails denies. It charges nothing.

        Raises ValueError for an action that makes no sense.
        """
        return decided(action, self._request("evaluate", check_body(action)))

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Like `evaluate_sync`, awaited."""
        return decided(action, await self._request_async("evaluate", check_body(action)))

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """As `GovernanceEngine.record_refusal`; ``code`` is one word of capitals and underscores."""
        return decided(action, self._request("evaluate", refusal_body(action, code, reason)))

    # ---- charged work

    def begin(
        self, action: GovernanceAction, *, on_waiting: OnWaiting | None = None, timeout: float | None = None
    ) -> NotebookGrant:
        """Check an action and hold its amount, in one step; the caller settles or releases the grant, once.

        A governed action may wait for a user's approval, at most ``timeout`` seconds (by default as long as the server
        allows). ``on_waiting`` is called once the panel shows the approval request; without it, the cell shows that it
        waits, and then the outcome. An interrupt withdraws the approval request. Raises
        GovernanceDeniedError when it is denied, and as `evaluate_sync`: then nothing is held.
        """
        op, body, waiting = self._authorization_request(action, on_waiting, timeout)
        request: Started | None = None
        try:
            with waited(self._shell, body, waiting) as heard:
                request = self._way().client.start(op, body, cell=current_cell(self._shell), on_waiting=heard)
                response = request.response()
                decision = allowed(action, response, in_panel=self._way().has_panel)
            grant = NotebookGrant(self, decision, _nano(body), response.get("hold_id"))
            grant.report_id = response.get("report_id")
            return grant
        except BaseException:
            if request is not None:
                request.take_back()
            raise

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """As `Engine.begin_ahead`."""
        body = {**hold_body(action), **at_limit_field()}
        line = LimitLine(self._shell, body)
        request = self._way().client.start("hold", body, cell=current_cell(self._shell), on_waiting=line.waits)
        return _Begun(self, action, body, request, line)

    async def begin_async(
        self, action: GovernanceAction, *, on_waiting: OnWaiting | None = None, timeout: float | None = None
    ) -> AsyncNotebookGrant:
        """Like `begin`, awaited. A task that is cancelled meanwhile holds nothing."""
        op, body, waiting = self._authorization_request(action, on_waiting, timeout)
        client, flight = self._way().client, InFlight()
        try:
            with waited(self._shell, body, waiting, blocks=False) as heard:
                cell = current_cell(self._shell)
                response = await client.request_async(op, body, cell=cell, on_waiting=heard, flight=flight)
                decision = allowed(action, response, in_panel=self._way().has_panel)
            grant = AsyncNotebookGrant(self, decision, _nano(body), response.get("hold_id"))
            grant.report_id = response.get("report_id")
            return grant
        except BaseException:
            client.take_back(flight)
            raise

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Hold the action's amount, run the block, then charge what it truly cost: see `Authorization`."""
        return Authorization(self, action)

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """As `Resolver.resolve`."""
        request = ending(grant, cost, estimated=estimated)
        return settled(grant, None if request is None else self._request(*request), estimated=estimated)

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """As `Resolver.resolve_async`."""
        request = ending(grant, cost, estimated=estimated)
        return settled(grant, None if request is None else await self._request_async(*request), estimated=estimated)

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> Ending | None:
        """As `Resolver.resolve_soon`. The cell's end waits until it is recorded."""
        request = ending(grant, cost, estimated=estimated)
        if request is None:
            return None
        way = self._way()
        if not self._follows and self._shell is not None:
            self._follows = True
            self._shell.events.register("post_run_cell", self._catch_up)
        posted = way.client.post(*request, cell=current_cell(self._shell))
        return _PostedEnding(grant, posted, estimated)

    def _catch_up(self, _: object) -> None:
        # So that the panel shows what a cell cost as soon as the cell has ended.
        self._way().client.catch_up()

    # ---- requests

    def _way(self) -> Link:
        # Looked up each time: a forked child has a way of its own.
        return link(self._shell)

    def _request(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._way().client.request(op, body, cell=current_cell(self._shell))

    async def _request_async(self, op: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return await self._way().client.request_async(op, body, cell=current_cell(self._shell))

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
        way = self._way()
        if way.decide is None:
            return "authorize", body, on_waiting
        decides = user_at_prompt(way, self._shell)
        if decides is None:
            return "authorize", {**body, "wait": False}, None
        return "authorize", body, _prompting(decides, way.decide, body["shown"])


def notebook_engine() -> NotebookEngine:
    """The engine of this notebook: what it decides counts in the notebook's governance session.

    In a kernel of a governed server that is the server's session, elsewhere the embedded engine's. With the magics
    loaded, it is what `govern` and `governed` use where they are given no engine. Raises ConfigurationError outside
    IPython and Jupyter, but for processes that multiprocessing starts from a governed kernel: they count there too.
    """
    global _engine  # noqa: PLW0603 - one process is one kernel
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None and not is_worker(os.environ):
        raise ConfigurationError(
            "notebook_engine() is the engine of a notebook, and this code runs neither in a kernel nor in IPython; use"
            " GovernanceEngine() here."
        )
    found = _engine
    if found is None or found._shell is not shell:
        found = _engine = NotebookEngine(shell)
    return found


_engine: NotebookEngine | None = None


class _Begun:
    """As `Begun`."""

    def __init__(
        self,
        engine: NotebookEngine,
        action: GovernanceAction,
        body: Mapping[str, Any],
        request: Started,
        line: LimitLine,
    ) -> None:
        self._line = line
        self._engine = engine
        self._action = action
        self._body = body
        self._started: Started | None = request

    def grant(self) -> NotebookGrant:
        assert self._started is not None
        with until_decided(self._line, self._body, blocks=True):
            response = self._started.response()
            decision = allowed(self._action, response, in_panel=self._engine._way().has_panel)
        return NotebookGrant(self._engine, decision, _nano(self._body), response.get("hold_id"))

    def drop(self) -> NotebookGrant | None:
        request, self._started = self._started, None
        response = None if request is None else request.drop()
        if response is None or response.get("hold_id") is None:
            return None
        return NotebookGrant(self._engine, decided(self._action, response), _nano(self._body), response["hold_id"])


class _PostedEnding:
    """As `Ending`."""

    def __init__(self, grant: Granted, posted: PostedRequest, estimated: bool) -> None:
        self._grant = grant
        self._posted = posted
        self._estimated = estimated
        self.then = posted.then

    def result(self) -> Settlement:
        return settled(self._grant, self._posted.result(), estimated=self._estimated)


def _nano(body: Mapping[str, Any]) -> int | None:
    return None if "amount" not in body else money.parse(body["amount"])


def _prompting(
    approves: Callable[[Mapping[str, Any]], bool], decide: Callable[[str, str, bool], None], shown: Mapping[str, Any]
) -> OnWaiting:
    def prompt(waiting: Mapping[str, Any]) -> None:
        approved = approves(shown)
        # Decided or over meanwhile: then the response to the action states that.
        with contextlib.suppress(ConflictError):
            decide(waiting["approval_id"], waiting["digest"], approved)

    return prompt
