"""The commands with a running server that has governed kernels."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.cli.conftest import Ended, Run, command
from tests.kernel.governed_kernel import CONNECT, SOCKET, notebook


@pytest.fixture(scope="module")
def governed(server: LiveServer) -> Iterator[LiveServer]:
    """One notebook with a spend and a hold, and one that only opened a session; the kernels of both use the socket."""
    (server.root / "work").mkdir()
    with notebook(server, "work/agents.ipynb") as (kernel, _), notebook(server, "quiet.ipynb") as (other, _):
        assert kernel.run("%governance --budget 3 --agent bot\n%governance_spend 0.25 --tool gpt-4o").status == "ok"
        hold = "client.request('hold', {'amount': '0.5', 'tool': '\\x1b[31mred'})"
        assert kernel.run(f"{CONNECT}\n{SOCKET}\n{hold}").status == "ok"
        assert kernel.run("%governance_spend 5 --tool gpt-4o --no-raise").status == "ok"
        # status shows the transport of the last request, which may be either until the kernel uses the socket.
        assert other.run(f"%governance\n{CONNECT}\n{SOCKET}\n%governance_status").status == "ok"
        yield server


def test_status_lists_notebooks_kernels_and_holds(governed: LiveServer) -> None:
    ended = command(governed.home, "status")
    assert (ended.code, ended.err) == (0, "")
    head, *lines = ended.lines
    assert head == f"Server {governed.url}, root {governed.root}"
    assert lines[:3] == [
        "NOTEBOOK           SESSION  TRUST LEVEL  BUDGET  SPENT   HELD  REMAINING  AGENT",
        "quiet.ipynb        open     L2 Suggest   $10.00  $0.00  $0.00     $10.00",
        "work/agents.ipynb  open     L2 Suggest    $3.00  $0.25  $0.50      $2.25  bot",
    ]
    assert re.fullmatch(r"[0-9a-f-]{36}  socket        quiet\.ipynb", lines[5])
    assert re.fullmatch(r"[0-9a-f-]{36}  socket        work/agents\.ipynb", lines[6])
    hold = r"[0-9a-f]{32}  held    \$0\.50  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d  \\x1b\[31mred  work/agents\.ipynb"
    assert re.fullmatch(hold, lines[9])
    assert len(lines) == 10


def test_status_as_json_has_the_bodies_of_the_interface(governed: LiveServer, run: Run) -> None:
    body = run("status", "--json", home=governed.home).json
    (place,) = body["places"]
    assert body["needs_a_person"] == []
    assert (place["name"], place["owner"], place["root"]) == (f"server {governed.url}", None, str(governed.root))
    for name in ("notebooks", "holds", "kernels"):
        assert place[name] == governed.json("GET", f"aumos-governance/v1/{name}")[name]


def test_audit_lists_the_newest_last(governed: LiveServer, run: Run) -> None:
    ended = run("audit", "-n", "2", "--path", "work/agents.ipynb", home=governed.home)
    assert (ended.code, ended.err, len(ended.lines)) == (0, "", 3)
    assert [line.split()[3] for line in ended.lines[1:]] == ["hold", "spend"]
    assert ended.lines[2].endswith("Would exceed budget ($5.75 > $3.00)")
    records = run("audit", "--json", "--outcome", "deny", home=governed.home).json["records"]
    assert [(record["tool"], record["amount"]) for record in records] == [("gpt-4o", "5")]
    assert run("audit", "--tool", "none such", home=governed.home).lines == ["No audit records match."]


def test_a_wrong_filter_is_one_sentence(governed: LiveServer, run: Run) -> None:
    ended = run("audit", "--since", "yesterday", home=governed.home)
    sentence = "The since must be a time in ISO 8601, for example 2026-01-31T12:00:00Z, not 'yesterday'.\n"
    assert ended == Ended(2, "", sentence)


def test_verify_finds_a_head_again_and_misses_another(governed: LiveServer, run: Run) -> None:
    good = run("verify", home=governed.home)
    assert (good.code, good.err) == (0, "")
    assert good.lines[0].startswith("OK: ")
    head = good.lines[1].rsplit(" ", 1)[1]
    assert run("verify", "--json", home=governed.home).json["heads"]["ledger"] == head
    again = run("verify", "--known-head", head, home=governed.home)
    assert (again.code, "they include the known head" in again.out) == (0, True)
    bad = run("verify", "--known-head", "0" * 64, home=governed.home)
    assert (bad.code, bad.lines[0]) == (1, f"NOT OK: No record of any chain has the known head {'0' * 64}.")
    one = run("verify", "--path", "quiet.ipynb", "--json", home=governed.home).json
    assert (one["ok"], one["checked"], len(one["heads"])) == (True, 1, 1)


def test_export_writes_what_the_interface_streams(governed: LiveServer, run: Run, tmp_path: Path) -> None:
    streamed = governed.request("GET", "aumos-governance/v1/audit/export").text
    assert command(governed.home, "export").out == streamed
    file = tmp_path / "audit.csv"
    ended = run("export", "--format", "csv", "-o", str(file), "--event", "hold", home=governed.home)
    assert (ended.code, ended.out) == (0, f"Wrote {file.stat().st_size:,} bytes to {file}\n")
    with file.open(newline="") as text:
        (row,) = csv.DictReader(text)
    assert (row["event"], row["amount"]) == ("hold", "0.5")
    assert file.stat().st_mode & 0o777 == 0o600
    as_json = run("export", "--json", "-o", str(file), home=governed.home).json
    assert as_json == {"file": str(file), "format": "jsonl", "bytes": file.stat().st_size}
    assert json.loads(file.read_text().splitlines()[0])["event"] == "open"


def test_a_server_can_be_named(governed: LiveServer, run: Run) -> None:
    # By a user without servers, so that only the URL and the token are known.
    reported = run("status", "--json", "--server", f"{governed.url}lab?token={governed.token}").json
    assert reported["places"][0]["notebooks"]
    assert run("status", "--server", governed.url, JUPYTER_TOKEN=governed.token).code == 0
    refused = run("status", "--server", governed.url, "--token", "wrong")
    sentence = f"The server {governed.url} does not accept the token; state another with --token or in JUPYTER_TOKEN.\n"
    assert refused == Ended(2, "", sentence)


def test_the_ledger_of_a_running_server_can_be_read(governed: LiveServer, run: Run) -> None:
    url = f"sqlite:///{governed.home}/data/aumos_governance/ledger.sqlite"
    requested = run("status", "--json", home=governed.home).json["places"][0]
    (read,) = run("status", "--json", "--database-url", url).json["places"]
    assert (read["notebooks"], read["holds"], read["kernels"]) == (requested["notebooks"], requested["holds"], None)
    of_one = run("audit", "--json", "--database-url", url, "--path", f"{governed.root}/quiet.ipynb").json["records"]
    assert [record["event"] for record in of_one] == ["open"]
    missing = run("audit", "--database-url", url, "--path", "none.ipynb")
    assert (missing.code, "has no notebook 'none.ipynb'; run jupyter governance status" in missing.err) == (2, True)
    # The exported records are the same, regardless of the reader.
    assert run("export", "--database-url", url).out == run("export", home=governed.home).out


def test_a_server_without_governance_is_passed_over(tmp_path: Path, run: Run) -> None:
    bare = LiveServer(tmp_path, extensions={"aumos_governance": False})
    try:
        bare.start()
        ended = run("status", "--server", bare.url, "--token", bare.token)
        sentence = (
            f"The Jupyter server {bare.url} is not governed: enable the server extension aumos_governance there.\n"
        )
        assert ended == Ended(2, "", sentence)
        passed = run("status")
        assert (
            passed.code,
            passed.err.startswith("No governed server of this user runs here, and its ledger was not found: "),
        ) == (2, True)
    finally:
        bare.close()


def test_a_gateways_kernel_is_reported_with_an_exit_code_of_its_own(tmp_path: Path) -> None:
    gateway = LiveServer(tmp_path / "gateway", extensions={"aumos_governance": False})
    address = f"--GatewayClient.auth_token={gateway.token}"
    try:
        gateway.start()
        server = LiveServer(tmp_path / "server", f"--GatewayClient.url={gateway.url.rstrip('/')}", address)
        try:
            server.start()
            server.write_notebook("far.ipynb")
            session = {"path": "far.ipynb", "name": "far", "type": "notebook", "kernel": {"name": "python3"}}
            kernel_id = server.json("POST", "api/sessions", json=session)["kernel"]["id"]
            until(lambda: not server.json("GET", f"{GOVERNANCE}kernels")["kernels"][0]["reachable"], "it is looked at")
            ended = command(server.home, "status")
            assert ended.code == 1
            assert any(line.split() == [kernel_id, "UNREACHABLE", "far.ipynb"] for line in ended.lines)
            assert ended.lines[-1].startswith(f"The kernel {kernel_id} of far.ipynb cannot be governed")
        finally:
            server.close()
    finally:
        gateway.close()
