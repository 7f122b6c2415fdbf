"""The text that the commands print, made from bodies of the REST interface.

The functions return lines. ``width`` is the number of characters in a line of the terminal, to which tables are cut;
None if the output goes elsewhere and tables stay whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from .. import money
from ..printing import printable
from ..server.rest.ceilings import difference_sentence
from .tables import Column, table

Body = Mapping[str, Any]
_NOTEBOOKS: Final = (
    Column("NOTEBOOK", cut="start"),
    Column("SESSION"),
    Column("TRUST LEVEL"),
    Column("BUDGET", right=True),
    Column("SPENT", right=True),
    Column("HELD", right=True),
    Column("REMAINING", right=True),
    Column("AGENT", cut="end"),
)
_KERNELS: Final = (Column("KERNEL"), Column("CONNECTED BY"), Column("NOTEBOOK", cut="start"))
_HOLDS: Final = (
    Column("HOLD"),
    Column("STATE"),
    Column("AMOUNT", right=True),
    Column("SINCE (UTC)"),
    Column("TOOL", cut="end"),
    Column("NOTEBOOK", cut="start"),
)
_AUDIT: Final = (
    Column("TIME (UTC)"),
    Column("NOTEBOOK", cut="start"),
    Column("EVENT"),
    Column("OUTCOME"),
    Column("AMOUNT", right=True),
    Column("TOOL", cut="end"),
    Column("CELL", right=True),
    Column("BY", cut="end"),
    Column("WHY", cut="end"),
)
_PRICES: Final = (Column("SOURCE"), Column("GENAI-PRICES"), Column("AS OF"), Column("AGE", right=True))
_FINDINGS: Final = (Column("CODE"), Column("TABLE"), Column("RECORD", cut="end"), Column("FOUND", cut="end"))


def status_lines(status: Body, width: int | None) -> list[str]:
    """Return the lines that ``status`` prints: the notebooks, kernels and holds of each place.

    A place is a server, or in a ledger one owner with one root folder.
    """
    lines: list[str] = []
    for place in status["places"]:
        lines += ["", *_place_lines(place, width)]
    return lines[1:]


def problems(status: Body) -> list[str]:
    """Return one sentence for each problem in a status that a user must solve, such as a hold of unknown outcome."""
    return [sentence for place in status["places"] for sentence in _place_problems(place)]


def audit_lines(records: Sequence[Body], width: int | None) -> list[str]:
    """Return a table with one line for each audit record, in the given order."""
    if not records:
        return ["No audit records match."]
    return table(_AUDIT, [_audit_row(record) for record in records], width)


def is_damaged(result: Body) -> bool:
    """Whether a verification found records that could not be read, judged by the body of its result."""
    return any(finding["code"] == "DAMAGED" for finding in result.get("findings", ()))


def verify_lines(result: Body, known_head: str | None, width: int | None = None) -> list[str]:
    """Return the lines that state a verification's result: what is intact, or what was found, and what was compared.

    ``known_head`` is the hash that the user asked to find in a chain, or None.
    """
    if not result["ok"]:
        return _failure_lines(result, width) + _coverage_lines(result)
    intact = (
        f"{_count(result['checked'], 'record')} in {_count(len(result['heads']), 'chain')} are as they were written"
    )
    lines = [f"OK: {intact}{', and they include the known head' if known_head else ''}."]
    head = result["heads"].get("ledger") or next(iter(result["heads"].values()), None)
    if head:
        lines.append(f"Keep this head on another machine, to verify with --known-head later: {head}")
    return lines + _coverage_lines(result)


def _failure_lines(result: Body, width: int | None) -> list[str]:
    lines = [f"NOT OK: {result['problem']}"]
    if result["chain"] is not None:
        lines.append(f"Intact up to there: {_count(result['checked'], 'record')}.")
    findings = result.get("findings", ())
    if len(findings) > 1:
        rows = [
            (
                finding["code"],
                finding["table"] or "",
                " ".join(str(part) for part in (finding["record"], finding["seq"]) if part is not None),
                finding["problem"],
            )
            for finding in findings
        ]
        lines += ["", *table(_FINDINGS, rows, width)]
    if result.get("unlisted"):
        lines.append(f"And {_count(result['unlisted'], 'more finding')}.")
    return lines


def price_lines(prices: Body, width: int | None) -> list[str]:
    """Return a table with the age of the models' prices and, if they are old, the command that updates them."""
    row = (prices["source"], prices["version"], prices["as_of"], _count(prices["age_days"], "day"))
    lines = table(_PRICES, [row], width)
    if prices["old"]:
        lines += ["", "The prices are old. Update them: jupyter governance prices --update"]
    return lines


def _coverage_lines(result: Body) -> list[str]:
    """Return lines that state which data a verification compared with the audit records, and which it did not.

    A server of an earlier version does not send this; then there are no lines.
    """
    covered = {name: count for name, count in result.get("covered", {}).items() if name not in ("audit", "chains")}
    lines = []
    if covered:
        lines.append(
            f"Checked against the records: {', '.join(f'{count:,} {name}' for name, count in covered.items())}."
        )
    return lines + [f"Not covered: {sentence[:1].lower()}{sentence[1:]}" for sentence in result.get("not_covered", ())]


def _place_problems(place: Body) -> Iterator[str]:
    for hold in place["holds"]:
        if hold["state"] == "unresolved":
            yield (
                f"The hold {hold['id']} of {_usd(hold['amount'])} in {printable(hold['notebook'])} has an unknown"
                " outcome: its kernel is gone, and a user must state what the call cost."
            )
    for state in place["notebooks"]:
        if state["active"] and state["over"] != "0":
            yield f"{printable(state['path'])} is {_usd(state['over'])} over its budget."
    for kernel in place["kernels"] or ():
        if not kernel["reachable"]:
            yield (
                f"The kernel {printable(kernel['id'])} of {printable(kernel['notebook'])} cannot be governed: all its"
                " requests fail."
            )


def _place_lines(place: Body, width: int | None) -> list[str]:
    heading = [printable(place["name"][:1].upper() + place["name"][1:])]
    if place["root"]:
        heading.append(f"root {printable(place['root'])}")
    if place["owner"] is not None:
        heading.append(f"owner {printable(place['owner'])}")
    lines = [", ".join(heading)]
    if place["notebooks"]:
        lines += table(_NOTEBOOKS, [_notebook_row(state) for state in place["notebooks"]], width)
    else:
        lines.append("No notebook was ever governed here.")
    if place["kernels"]:
        rows = [(kernel["id"], _transport(kernel), kernel["notebook"]) for kernel in place["kernels"]]
        lines += ["", *table(_KERNELS, rows, width)]
    elif place["kernels"] is not None:
        lines += ["", "No kernel runs."]
    if place["holds"]:
        lines += ["", *table(_HOLDS, [_hold_row(hold) for hold in place["holds"]], width)]
    else:
        lines += ["", "No hold is open."]
    differ = [printable(difference_sentence(difference)) for difference in place.get("ceilings_differ", ())]
    return lines + (["", *differ] if differ else [])


def _notebook_row(state: Body) -> tuple[str, ...]:
    return (
        state["path"],
        "open" if state["active"] else "closed",
        f"L{state['trust_level']} {state['trust_label']}",
        _usd(state["budget"]),
        _usd(state["spent"]),
        _usd(state["held"]),
        _usd(state["remaining"]),
        state["agent_id"] or "",
    )


def _hold_row(hold: Body) -> tuple[str, ...]:
    return hold["id"], hold["state"], _usd(hold["amount"]), _time(hold["at"]), hold["tool"], hold["notebook"]


def _audit_row(record: Body) -> tuple[str, ...]:
    count = record["cell"]["count"]
    return (
        _time(record["at"]),
        record["notebook"],
        record["event"],
        record["outcome"] or "",
        "" if record["amount"] == "0" else _usd(record["amount"]),
        record["tool"] or "",
        "" if count is None else f"[{count}]",
        record["actor"],
        "; ".join(record["reasons"]),
    )


def _transport(kernel: Body) -> str:
    if not kernel["reachable"]:
        return "UNREACHABLE"
    return kernel["transport"] or "not yet"


def _usd(amount: str) -> str:
    return money.display(int(Decimal(amount).scaleb(9)))


def _time(text: str) -> str:
    return text[:19].replace("T", " ")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
