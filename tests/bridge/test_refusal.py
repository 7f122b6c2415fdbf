"""A server that is meant to be governed and cannot be does not come up, and says why in one sentence."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from tests.bridge.live_server import LiveServer


def refuse(server: LiveServer) -> str:
    """Start it; give the one sentence with which it ended."""
    process = server.launch()
    assert process.wait(30) == 1
    log = server.log.read_text()
    assert "Traceback" not in log
    critical = [line for line in log.splitlines() if line.startswith("[C ")]
    assert len(critical) == 1, log
    assert "is running at" not in log
    return critical[0].split("] ", 1)[1]


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        (
            "default_budget=nan",
            (
                "GovernanceExtension.default_budget is 'nan', but must be an amount from 0 to 1000000000 US dollars"
                " with at most 9 decimals."
            ),
        ),
        (
            "max_budget=5",
            "GovernanceExtension.default_budget is $10.00, but must be at most $5.00, the max_budget.",
        ),
        (
            "bugdet=5",
            (
                "GovernanceExtension.bugdet is not a setting; the settings are autostart, database_url, default_budget,"
                " default_trust_level, max_budget, max_trust_level, strict, warn_at."
            ),
        ),
        (
            "database_url=mysql://ada:secret@host/db",
            (
                "GovernanceExtension.database_url cannot be used: '...@host/db' names no ledger; use memory://,"
                " sqlite:///path/to/file.db or postgresql://user@host/database."
            ),
        ),
    ],
)
def test_a_wrong_value_on_the_command_line(launch: Callable[..., LiveServer], argument: str, sentence: str) -> None:
    assert refuse(launch(f"--GovernanceExtension.{argument}")) == sentence


@pytest.mark.parametrize("name", ["jupyter_server_config.py", "jupyter_aumos_governance_config.py"])
def test_a_wrong_value_in_a_file(launch: Callable[..., LiveServer], name: str) -> None:
    server = launch()
    (server.home / "config" / name).write_text("c.GovernanceExtension.default_trust_level = 9\n")
    assert (
        refuse(server)
        .removeprefix("Bad config encountered during initialization: ")
        .startswith(
            "GovernanceExtension.default_trust_level is 9, but must be a trust level, a whole number from 0 to 5."
        )
    )


def test_a_truth_that_is_none(launch: Callable[..., LiveServer]) -> None:
    assert "strict" in refuse(launch("--GovernanceExtension.strict=maybe"))


def test_a_ledger_that_a_newer_version_wrote(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    server.stop()
    ledger = server.home / "data" / "aumos_governance" / "ledger.sqlite"
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE ledger_version SET version_num = '9999_from_the_future'")
    connection.close()
    server.log.unlink()
    sentence = refuse(server)
    assert sentence.startswith("GovernanceExtension.database_url cannot be used: ")
    assert "newer" in sentence
