"""A ledger on which every operation was done, so that each table has rows in all their states."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.agreements import (
    AcknowledgeReport,
    AskApproval,
    DecideApproval,
    Evaluate,
    FileReport,
    FinishReport,
    GrantConsent,
    Record,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
    WithdrawApproval,
)
from aumos_governance.ledger.contract.budgets import (
    ConfigureEnvelopes,
    EnvelopeKind,
    EnvelopeSpec,
    SetBudget,
    SetCeiling,
)
from aumos_governance.ledger.contract.charges import Adjust, ExpireHolds
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.keys import RUN, TERMINAL, USER, BindKey, IssueKey, RevokeKeys
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.requests import JoinNotebooks
from aumos_governance.types import ActionKind, BudgetPeriod, GovernanceOutcome, TrustLevel
from tests.ledger.charges import OTHER_KERNEL, correct, gone, hold, release, settle
from tests.ledger.kit import (
    BY_USER,
    CENT,
    HOUR,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SECOND,
    SERVER,
    USD,
    FakeClock,
    at,
    change,
    closing,
    delete,
    key,
    move,
    opening,
    spend,
    void,
)

THEIRS = NotebookKey("bob", "/srv/bob", "b.ipynb")
ACT = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE, "tool": "mail"}


def configure(owner: str, root: str, *specs: EnvelopeSpec) -> ConfigureEnvelopes:
    return ConfigureEnvelopes(key=key(), origin=SERVER, owner=owner, root=root, envelopes=specs)


def set_ceiling(
    name: str,
    ceiling: int | None,
    period: BudgetPeriod | None = None,
    *,
    kind: EnvelopeKind = EnvelopeKind.TEAM,
    subject: str = "",
) -> SetCeiling:
    return SetCeiling(
        key=key(), origin=BY_USER, encloses=kind, subject=subject, name=name, ceiling=ceiling, period=period
    )


def budget(category: str, ceiling: int, *, create: bool = True) -> SetBudget:
    return SetBudget(
        key=key(),
        origin=KERNEL,
        notebook=NOTEBOOK,
        category=category,
        ceiling=ceiling,
        period=BudgetPeriod.DAILY,
        create=create,
    )


@contextlib.contextmanager
def rich_in_memory() -> Iterator[Ledger]:
    """Open a ledger in memory on which everything was done."""
    clock = FakeClock()
    with contextlib.closing(open_ledger("memory://", clock=clock)) as made:
        fill_richly(made, clock)
        yield made


def fill_richly(ledger: Ledger, clock: FakeClock) -> None:
    _envelopes(ledger)
    _charges(ledger, clock)
    _agreements(ledger, clock)
    _keys(ledger)
    _join(ledger)
    _endings(ledger)


def _envelopes(ledger: Ledger) -> None:
    team = EnvelopeSpec("team", 90 * USD, EnvelopeKind.TEAM, BudgetPeriod.MONTHLY)
    mine = [
        EnvelopeSpec("book", 40 * USD, EnvelopeKind.NOTEBOOK),
        EnvelopeSpec("ann", 50 * USD, EnvelopeKind.OWNER, BudgetPeriod.YEARLY),
        EnvelopeSpec("server", 60 * USD, EnvelopeKind.SERVER, BudgetPeriod.DAILY),
        team,
    ]
    ledger.execute(configure("ann", "/srv/ann", mine[0]))
    ledger.execute(opening(agent_id="planner", budget=5 * USD))
    ledger.execute(spend(3 * CENT))
    ledger.execute(configure("ann", "/srv/ann", *mine))
    ledger.execute(configure("bob", "/srv/bob", replace(team, ceiling=80 * USD)))
    ledger.execute(configure("eve", "/srv/eve"))
    ledger.execute(configure("ann", "/srv/other"))
    ledger.execute(opening(THEIRS, origin=OTHER_KERNEL))
    for period, ceiling in ((BudgetPeriod.DAILY, 70 * USD), (None, None), (BudgetPeriod.MONTHLY, 85 * USD)):
        ledger.execute(set_ceiling("team", ceiling, period))
    ledger.execute(set_ceiling("ann", None, kind=EnvelopeKind.OWNER, subject="ann"))
    ledger.execute(spend(notebook=THEIRS, origin=OTHER_KERNEL))
    ledger.execute(change(trust_level=TrustLevel.L3_ACT_APPROVE, budget=8 * USD, agent_id="writer"))
    ledger.execute(budget("research", 2 * USD))
    ledger.execute(budget("research", 3 * USD, create=False))


def _charges(ledger: Ledger, clock: FakeClock) -> None:
    ledger.execute(spend(5 * CENT, tool="gpt-4o", category="research", note="a note"))
    ledger.execute(spend(20 * USD))
    ledger.execute(spend(9 * USD, already_paid=True, tool="paid"))
    ledger.execute(change(budget=30 * USD))
    taken = spend(4 * CENT, key="taken back")
    ledger.execute(taken)
    ledger.execute(void(taken.key))
    ledger.execute(void("never comes"))
    for end in (settle, release):
        held = ledger.execute(hold(tool=end.__name__)).charge_id
        ledger.execute(settle(held, 7 * CENT, estimated=True) if end is settle else release(held))
    for amount in (9 * CENT, 2 * CENT):
        estimate = ledger.execute(hold(8 * CENT)).charge_id
        ledger.execute(settle(estimate, 5 * CENT, estimated=True, reference="openai/resp_1"))
        ledger.execute(Adjust(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=amount, charge_id=estimate))
    over = ledger.execute(hold(CENT)).charge_id
    ledger.execute(settle(over, 3 * CENT))
    first = ledger.execute(spend(30 * CENT)).charge_id
    ledger.execute(correct(first, 10 * CENT))
    ledger.execute(correct(first, 5 * CENT, reason="again"))
    late = ledger.execute(hold(6 * CENT, until=clock.now + 5 * SECOND)).charge_id
    ledger.execute(hold(2 * CENT, until=clock.now + 6 * SECOND, category="research"))
    clock.advance(10 * SECOND)
    ledger.execute(ExpireHolds(key=key(), origin=SERVER))
    ledger.execute(settle(late, 2 * CENT))
    ledger.execute(hold(8 * CENT, tool="stays", until=clock.now + 90 * HOUR))
    clock.advance(30 * HOUR)
    left = ledger.execute(hold(9 * CENT, origin=OTHER_KERNEL, tool="left")).charge_id
    ledger.execute(hold(11 * CENT, origin=OTHER_KERNEL, tool="unresolved"))
    ledger.execute(gone("two"))
    ledger.execute(settle(left, 4 * CENT, origin=BY_USER))


def _agreements(ledger: Ledger, clock: FakeClock) -> None:
    about = {"origin": KERNEL, "notebook": NOTEBOOK}
    for decision in (True, False, None):
        requested = ledger.execute(
            AskApproval(
                key=key(),
                **about,
                digest=f"digest of {decision}",
                shown="{}",
                tool="mail",
                amount=CENT,
                until=clock.now + HOUR,
            )
        )
        if decision is None:
            ledger.execute(WithdrawApproval(key=key(), origin=KERNEL, approval_id=requested.approval_id))
        else:
            ledger.execute(
                DecideApproval(
                    key=key(),
                    origin=BY_USER,
                    approval_id=requested.approval_id,
                    digest=requested.digest,
                    approve=decision,
                )
            )
        act = spend(CENT, approval_id=requested.approval_id, digest=requested.digest, **ACT)
        assert ledger.execute(act).allowed == (decision is True)
    for digest in ("one that is approved only", "one that waits"):
        requested = ledger.execute(AskApproval(key=key(), **about, digest=digest, shown="{}"))
        if digest == "one that waits":
            continue
        ledger.execute(
            DecideApproval(key=key(), origin=BY_USER, approval_id=requested.approval_id, digest=digest, approve=True)
        )
    for how in ("seen", "unseen", "finished"):
        report = ledger.execute(FileReport(key=key(), **about, shown='{"a":1}', tool=how))
        if how == "finished":
            ledger.execute(FinishReport(key=key(), **about, report_id=report.report_id, result="done", spent="0.01"))
        if how == "seen":
            ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=report.report_id))
    for realm in (None, "ann"):
        given = {"key": "", **about, "agent_id": "helper", "realm": realm}
        ledger.execute(SetTrust(**given, level=TrustLevel.L1_MONITOR, assigned_by="ann"))
        ledger.execute(SetTrust(**given, level=TrustLevel.L2_SUGGEST, scope="files", assigned_by="ann"))
        ledger.execute(SetTrust(**given, level=TrustLevel.L3_ACT_APPROVE, scope="mail", assigned_by="ann"))
        ledger.execute(RemoveTrust(**given, scope="mail"))
        grant = {"data_type": "names", "granted_by": "ann"}
        ledger.execute(GrantConsent(**given, **grant, purpose=None, until=clock.now + HOUR))
        ledger.execute(GrantConsent(**given, **grant, purpose="mail"))
        ledger.execute(RevokeConsent(**given, data_type="names", purpose="mail"))
    ledger.execute(SetTrust(key=key(), **about | {"notebook": at("never.ipynb")}, agent_id="x", level=TrustLevel(1)))
    ledger.execute(TouchTrust(key=key(), origin=KERNEL, agent_id="helper", realm="ann"))
    ledger.execute(Evaluate(key="", **about, agent_id="helper", required_level=TrustLevel.L5_AUTONOMOUS))
    ledger.execute(
        Record(key=key(), **about, event="log", outcome=GovernanceOutcome.DENY, reasons=("Why, with ümläuts",))
    )


def issue(key_id: str, kind: str = TERMINAL, notebook: NotebookKey | None = None, **values: Any) -> IssueKey:
    given = {
        "key": key(),
        "origin": BY_USER if kind in (USER, RUN) else SERVER,
        "key_id": key_id,
        "digest": sha256(key_id.encode()).hexdigest(),
        "owner": "ann",
        "root": "/srv/ann",
        "kind": kind,
        "name": f"{kind} {key_id}",
        "notebook": notebook,
    }
    return IssueKey(**given | values)


def _keys(ledger: Ledger) -> None:
    for number in ("1", "2"):
        ledger.execute(issue(f"kernel {number}", "kernel", subject="k", server="s", replaces=True))
    ledger.execute(issue("of a user", USER, at("key:script")))
    ledger.execute(issue("of a command", RUN, at("joined.ipynb")))
    ledger.execute(issue("of a terminal"))
    ledger.execute(BindKey(key=key(), origin=BY_USER, key_id="of a terminal", notebook=NOTEBOOK))
    ledger.execute(issue("theirs", USER, THEIRS, owner="bob", root="/srv/bob"))
    ledger.execute(RevokeKeys(key=key(), origin=BY_USER, key_ids=("of a user", "kernel 1"), why="a user revoked it"))


def _join(ledger: Ledger) -> None:
    """Join two names of one file, each with an open session, of which the younger is closed."""
    link, file = NotebookKey("ann", "/srv/link", "joined.ipynb"), at("joined.ipynb")
    each = EnvelopeSpec("each", 8 * USD, EnvelopeKind.NOTEBOOK)
    ledger.execute(configure("ann", "/srv/link", each))
    for notebook in (link, file):
        ledger.execute(opening(notebook))
        ledger.execute(spend(CENT, notebook))
        ledger.execute(hold(CENT, notebook=notebook))
    ledger.execute(JoinNotebooks(key=key(), origin=SERVER, pairs=((link, file),)))
    ledger.execute(opening(file))
    ledger.execute(spend(CENT, file))


def _endings(ledger: Ledger) -> None:
    ledger.execute(opening(OTHER))
    ledger.execute(spend(12 * CENT, OTHER))
    still = ledger.execute(hold(13 * CENT, notebook=OTHER)).charge_id
    ledger.execute(opening(OTHER, new=True, budget=4 * USD))
    ledger.execute(settle(still, 14 * CENT))
    ledger.execute(closing(OTHER))
    ledger.execute(spend(notebook=at("never.ipynb")))
    ledger.execute(opening(at("gone.ipynb")))
    ledger.execute(spend(notebook=at("gone.ipynb")))
    ledger.execute(delete("gone.ipynb"))
    ledger.execute(move(OTHER.path, "elsewhere.ipynb"))
    ledger.execute(spend(CENT, tool="last", detail={"model": "m"}))
