"""The magics in a real kernel without a server: what they print, display, raise and store."""

from __future__ import annotations

from pathlib import Path

from tests.kernel.real_kernel import LOAD, Kernel, refused, spent


def test_what_the_magics_print(kernel: Kernel, tmp_path: Path) -> None:
    first = kernel.run("%governance --trust-level 2 --budget 10.0")
    state_file = tmp_path / "data" / "aumos_governance" / "embedded.sqlite"
    assert first.lines == [
        f"No governed Jupyter server here, so this state is kept in {state_file}",
        "Governance enabled: trust_level=L2, budget=$10.00",
    ]
    assert state_file.exists()
    assert kernel.run("%governance_spend 0.05 --tool gpt-4o").lines == ["Recorded: $0.05 for gpt-4o ($9.95 remaining)"]
    assert spent(kernel).splitlines() == [
        "Trust Level: L2 (Suggest)",
        "Budget: $0.05 spent / $10.00 limit ($9.95 remaining)",
    ]
    assert kernel.run("%governance --trust-level 2 --budget 10.0").lines == [
        "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.05 spent; --new starts fresh)"
    ]
    assert kernel.run("%governance_spend 0.0004").lines == ["Recorded: $0.0004 for unknown ($9.9496 remaining)"]
    assert kernel.run("%governance_disable").lines == ["Governance disabled. Session total: $0.0504 / $10.00"]
    assert kernel.run("%governance_disable").lines == ["Governance: INACTIVE", "Last session total: $0.0504 / $10.00"]
    assert spent(kernel).splitlines() == ["Governance: INACTIVE", "Last session total: $0.0504 / $10.00"]


def test_never_governed_is_inactive_and_nothing_more(kernel: Kernel) -> None:
    assert spent(kernel) == "Governance: INACTIVE"
    assert kernel.run("%governance_disable").lines == ["Governance: INACTIVE"]


def test_the_next_session_says_what_the_earlier_ones_spent(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 0.2\n%governance_disable")
    assert kernel.run("%governance").lines == [
        "Governance enabled: trust_level=L2, budget=$10.00",
        "This notebook's earlier session spent $0.20.",
    ]
    kernel.run("%governance_spend 0.1")
    assert kernel.run("%governance --new").lines == [
        "Governance enabled: trust_level=L2, budget=$10.00",
        "This notebook's 2 earlier sessions spent $0.30.",
    ]


def test_a_change_says_what_it_changed(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 1")
    (line,) = kernel.run("%governance --trust-level L3 --budget $20 --agent bob").lines
    assert line == (
        "Governance enabled: trust_level=L3, budget=$20.00, agent=bob"
        " (changed from trust_level=L2, budget=$10.00, agent=none; $1.00 spent)"
    )
    assert kernel.run("%governance --budget 15").lines == [
        "Governance enabled: trust_level=L3, budget=$15.00, agent=bob (changed from budget=$20.00; $1.00 spent)"
    ]


def test_a_denied_spend_stops_the_cell_and_charges_nothing(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 9.8\npaid = []")
    denied = kernel.run("%governance_spend 0.4 --tool gpt-4o\npaid.append('the call')")
    refused(denied, "GovernanceDeniedError", "DENIED: Would exceed budget ($10.20 > $10.00)")
    assert "$0.40 for gpt-4o was requested and $0.20 is left" in denied.evalue
    assert kernel.value("paid") == "[]"
    assert "$9.80 spent" in spent(kernel)


def test_without_a_session_every_spend_is_denied(kernel: Kernel) -> None:
    refused(kernel.run("%governance_spend 0.05"), "GovernanceDeniedError", "DENIED: Governance is not active")


def test_the_observer_level_denies_a_spend(kernel: Kernel) -> None:
    kernel.run("%governance --trust-level 0")
    denied = kernel.run("%governance_spend 0.05")
    refused(denied, "GovernanceDeniedError", "DENIED: A call needs trust level L1")
    assert denied.evalue.endswith("raise the trust level with %governance --trust-level.")


def test_no_raise_prints_the_denial_and_gives_a_decision_that_is_false(kernel: Kernel) -> None:
    kernel.run("%governance --budget 1")
    outcome = kernel.run("d = %governance_spend 2 --no-raise\nprint('on we go')")
    assert outcome.status == "ok"
    assert outcome.lines[0].startswith("DENIED: Would exceed budget ($2.00 > $1.00)")
    assert outcome.lines[1] == "on we go"
    assert kernel.value("bool(d), d.allowed, d.outcome == 'deny', d.code, d.reasons") == (
        "(False, False, True, 'BUDGET_EXCEEDED', ('Would exceed budget ($2.00 > $1.00)',))"
    )


def test_what_is_already_paid_is_recorded_in_full_and_raises(kernel: Kernel) -> None:
    kernel.run("%governance --budget 1")
    assert kernel.run("%governance_spend 0.5 --already-paid").lines == ["Recorded: $0.50 for unknown ($0.50 remaining)"]
    over = kernel.run("%governance_spend 2 --tool gpt-4o --already-paid")
    refused(over, "GovernanceDeniedError", "OVERRUN: $2.00 for gpt-4o was already paid, so it is recorded in full")
    assert spent(kernel).splitlines()[1:] == [
        "Budget: $2.50 spent / $1.00 limit ($0.00 remaining)",
        "Over: $1.50 above the limit",
    ]
    printed = kernel.run("d = %governance_spend 1 --already-paid --no-raise")
    assert printed.lines[0].startswith("OVERRUN: $1.00")
    assert kernel.value("d.allowed, d.overrun") == "(True, True)"


def test_a_decision_is_for_the_code_that_assigns_it_and_shows_no_output_number(kernel: Kernel) -> None:
    kernel.run("%governance\n'kept'")
    alone = kernel.run("%governance_spend 0.05 --tool gpt-4o")
    assert alone.lines == ["Recorded: $0.05 for gpt-4o ($9.95 remaining)"]
    assert alone.results == []
    assert kernel.run("d = %governance_spend 0.05").results == []
    assert kernel.value("_, sorted(Out)") == "('kept', [2])"
    assert (
        kernel.value("d.allowed, d.remaining, d.amount, d.overrun") == "(True, Decimal('9.9'), Decimal('0.05'), False)"
    )
    (shown,) = kernel.run("e = %governance_spend 0.05 --tool gpt-4o\ne").results
    assert shown["text/plain"] == "<SpendDecision allow: $0.05 for 'gpt-4o', $9.85 remaining>"
    assert kernel.run("%governance_spend 0.05\n1 + 1").results[0]["text/plain"] == "2"
    frozen = kernel.run("d.allowed = True")
    assert frozen.ename in {"FrozenInstanceError", "AttributeError", "TypeError"}


def test_a_spend_in_an_async_cell_shows_no_output_number_either(kernel: Kernel) -> None:
    kernel.run("import asyncio\n%governance")
    outcome = kernel.run("await asyncio.sleep(0)\n%governance_spend 0.05")
    assert outcome.lines == ["Recorded: $0.05 for unknown ($9.95 remaining)"]
    assert outcome.results == []


def test_names_cannot_smuggle_markup_or_control_characters(kernel: Kernel) -> None:
    kernel.run("%governance")
    kernel.run("evil = '<img src=x>\\x1b[2J\\u202e'")
    assert kernel.run("%governance_spend 0.05 --tool '{evil}'").lines == [
        r"Recorded: $0.05 for <img src=x>\x1b[2J\u202e ($9.95 remaining)"
    ]
    (shown,) = kernel.run("%governance_audit").displays
    assert "<img" not in shown["text/html"]
    assert "&lt;img src=x&gt;" in shown["text/html"]


def test_status_is_a_card_with_text_beside_it(kernel: Kernel) -> None:
    kernel.run("%governance --budget 4 --agent '<b>bob</b>'\n%governance_spend 1")
    (shown,) = kernel.run("%governance_status").displays
    assert set(shown) == {"text/plain", "text/html"}
    assert shown["text/plain"].splitlines()[-1] == "Agent: <b>bob</b>"
    html = shown["text/html"]
    assert "Budget: $1.00 spent / $4.00 limit ($3.00 remaining)" in html
    assert "width:25%" in html
    assert "&lt;b&gt;bob&lt;/b&gt;" in html
    assert "var(--jp-" in html


def test_each_record_has_the_cell_it_came_from(kernel: Kernel) -> None:
    kernel.run("%governance", cell_id="cell-a")
    kernel.run("%governance_spend 0.05 --tool gpt-4o", cell_id="cell-b")
    kernel.run("import threading", cell_id="cell-c")
    in_thread = "run = lambda: get_ipython().run_line_magic('governance_spend', '0.05 --tool thread')\n"
    kernel.run(in_thread + "thread = threading.Thread(target=run); thread.start(); thread.join()", cell_id="cell-d")
    kernel.run(
        "from aumos_governance.kernel.requests.connection import connect\n"
        "records = connect(get_ipython()).client.request('audit')['records']"
    )
    assert kernel.value("[(r['event'], r['tool'], r['cell']['id'], r['cell']['count']) for r in records]") == (
        "[('open', None, 'cell-a', 2), ('spend', 'gpt-4o', 'cell-b', 3), ('spend', 'thread', 'cell-d', 5)]"
    )


def test_the_newest_records_come_last_and_as_many_as_requested(kernel: Kernel) -> None:
    kernel.run("%governance\nfor n in range(12):\n    %governance_spend {n + 1} --tool t{n} --no-raise")
    shown = kernel.run("%governance_audit --last 3").displays[0]["text/plain"].splitlines()
    assert [line.split()[5] for line in shown[1:]] == ["t9", "t10", "t11"]
    assert len(kernel.run("%governance_audit").displays[0]["text/plain"].splitlines()) == 11


def test_reloading_and_unloading_keep_the_session(kernel: Kernel) -> None:
    kernel.run("%governance\n%governance_spend 0.05")
    reloaded = kernel.run("%reload_ext aumos_governance.jupyter_extension\n%governance")
    assert reloaded.lines == [
        "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.05 spent; --new starts fresh)"
    ]
    assert kernel.run("%unload_ext aumos_governance.jupyter_extension").status == "ok"
    assert kernel.run("%governance_status").status == "error"
    assert kernel.run(LOAD).status == "ok"
    assert "$0.05 spent" in spent(kernel)


def test_every_magic_explains_itself(kernel: Kernel) -> None:
    for name in ("governance", "governance_spend", "governance_status", "governance_disable", "governance_audit"):
        kernel.client.execute(f"%{name}?")
        (page,) = kernel.client.get_shell_msg(timeout=30)["content"]["payload"]
        text = page["data"]["text/plain"]
        assert f"%{name}" in text
        assert "--" in text or name in {"governance_status", "governance_disable"}


def test_a_caller_that_requests_the_frames_of_a_denial_gets_them(kernel: Kernel) -> None:
    kernel.run("%governance --budget 1\ndef paid_call():\n    %governance_spend 2")
    assert kernel.run("paid_call()").traceback == kernel.run("paid_call()").traceback
    (shown,) = kernel.run("%tb").errors
    text = "".join(shown["traceback"])
    assert "in paid_call" in text
    assert "GovernanceDeniedError: DENIED: Would exceed budget" in text
