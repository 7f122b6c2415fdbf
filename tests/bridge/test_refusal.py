"""A server on which governance is enabled but cannot work does not start, and states the reason in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from aumos_governance.ledger import open_ledger
from tests.bridge.live_server import LiveServer


def refuse(server: LiveServer) -> str:
    """Start the server, and return the sentence with which it ended."""
    process = server.launch()
    assert process.wait(30) == 1
    log = server.log.read_text()
    assert "Traceback" not in log
    critical = [line for line in log.splitlines() if line.startswith("[C ")]
    assert len(critical) == 1, log
    assert "is running at" not in log
    return critical[0].split("] ", 1)[1]


def test_a_wrong_value_on_the_command_line(launch: Callable[..., LiveServer]) -> None:
    assert refuse(launch("--GovernanceExtension.default_budget=nan")) == (
        "GovernanceExtension.default_budget is 'nan', but must be an amount from 0 to 1000000000 US dollars with at"
        " most 9 decimals."
    )


def test_a_wrong_value_in_the_extensions_own_file(launch: Callable[..., LiveServer]) -> None:
    server = launch()
    file = server.home / "config" / "jupyter_aumos_governance_config.py"
    file.write_text("c.GovernanceExtension.default_trust_level = 9\n")
    assert refuse(server).endswith(
        "GovernanceExtension.default_trust_level is 9, but must be a trust level, a whole number from 0 to 5."
    )


def test_a_ledger_that_a_newer_version_wrote(launch: Callable[..., LiveServer]) -> None:
    server = launch()
    ledger = server.home / "data" / "aumos_governance" / "ledger.sqlite"
    open_ledger(f"sqlite:///{ledger}").close()
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE ledger_version SET version_num = '9999_from_the_future'")
    connection.close()
    sentence = refuse(server)
    assert sentence.startswith("GovernanceExtension.database_url cannot be used: ")
    assert "newer" in sentence


def test_a_data_folder_that_cannot_be_made(launch: Callable[..., LiveServer]) -> None:
    server = launch()
    (server.home / "file").write_text("")
    folder = server.home / "file" / "data"
    server.environment["JUPYTER_DATA_DIR"] = str(folder)
    process = server.launch()
    assert process.wait(30) == 1
    (sentence,) = [line for line in server.log.read_text().splitlines() if line.startswith("[C ")]
    assert str(folder) in sentence
    assert "JUPYTER_DATA_DIR" in sentence


def test_a_provider_that_cannot_work(launch: Callable[..., LiveServer]) -> None:
    server = launch()
    (server.home / "config" / "jupyter_server_config.py").write_text(
        "c.GovernanceExtension.providers = {'openai': {'key_fil': '/run/secrets/openai'}}\n"
    )
    assert refuse(server) == (
        "GovernanceExtension.providers['openai'] has the unknown field 'key_fil'; did you mean 'key_file'?"
    )
