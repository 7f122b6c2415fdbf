from __future__ import annotations

import json
import threading
from collections.abc import Callable
from hashlib import sha256

import pytest

from aumos_governance import HashChainedAuditLog

Rows = list[tuple[str, ...]]


def filled() -> HashChainedAuditLog:
    log = HashChainedAuditLog()
    for number in range(5):
        log.append("a", "tool_call", "allow", {"n": number})
    return log


def test_records_are_linked() -> None:
    log = HashChainedAuditLog()
    first = log.append("a", "tool_call", "allow", {"cost": 0.5})
    second = log.append("b", "mail", "deny")
    assert log.get_records() == [first, second]
    assert log.count() == 2
    assert log.verify_chain() == (True, None)
    assert second.previous_hash == first.record_hash
    assert (second.agent_id, second.action, second.decision, second.details) == ("b", "mail", "deny", {})
    assert len({first.record_id, second.record_id, first.record_hash, second.record_hash}) == 4


def test_anyone_can_recompute_a_hash() -> None:
    record = HashChainedAuditLog().append("a", "t", "allow", {"b": 1, "a": "é"})
    fields = [record.record_id, record.timestamp, "a", "t", "allow", '{"a":"é","b":1}', record.previous_hash]
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    assert sha256(text.encode()).hexdigest() == record.record_hash


def test_an_empty_log_is_intact() -> None:
    assert HashChainedAuditLog().verify_chain() == (True, None)


@pytest.mark.parametrize(
    ("tamper", "stated"),
    [
        (lambda rows: rows.__setitem__(2, (*rows[2][:4], "deny", *rows[2][5:])), "Record 3 was changed"),
        (lambda rows: rows.pop(1), "Record 2 does not follow"),
        (lambda rows: rows.reverse(), "Record 1 does not follow"),
        (lambda rows: rows.insert(1, rows[0]), "Record 2 does not follow"),
        (lambda rows: rows.pop(), "Record 5 is missing"),
        (lambda rows: rows.clear(), "Record 1 is missing"),
    ],
)
def test_what_was_done_to_it_is_found(tamper: Callable[[Rows], object], stated: str) -> None:
    log = filled()
    tamper(log._rows)
    intact, problem = log.verify_chain()
    assert not intact
    assert problem is not None
    assert problem.startswith(stated)


def test_nothing_is_evicted() -> None:
    with pytest.warns(DeprecationWarning, match="max_records has no effect"):
        log = HashChainedAuditLog(max_records=10)
    for _ in range(50):
        log.append("a", "t", "allow")
    assert log.count() == len(log.get_records()) == 50
    assert log.verify_chain() == (True, None)


def test_copies_are_given() -> None:
    log = filled()
    details = {"deep": {"n": 1}}
    record = log.append("a", "t", "allow", details)
    details["deep"]["n"] = 2
    record.details["deep"]["n"] = 3
    log.get_records().clear()
    assert log.get_records()[-1].details == {"deep": {"n": 1}}
    assert log.verify_chain() == (True, None)


def test_threads_share_it() -> None:
    log = HashChainedAuditLog()

    def append() -> None:
        for _ in range(200):
            log.append("a", "t", "allow")

    threads = [threading.Thread(target=append) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.count() == 1600
    assert log.verify_chain() == (True, None)


def test_text_that_is_none_is_refused() -> None:
    log = filled()
    with pytest.raises(ValueError, match="surrogates"):
        log.append("\ud800", "t", "allow")
    assert log.count() == 5
    assert log.verify_chain() == (True, None)
