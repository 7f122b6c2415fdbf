"""The message with which the server ends if governance cannot start."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

import aumos_governance.server.extension as extension_module

Refuse = Callable[..., str]


class Heard(logging.Handler):
    """A handler that stores critical messages."""

    def __init__(self) -> None:
        super().__init__(logging.CRITICAL)
        self.sentences: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sentences.append(record.getMessage())


@pytest.fixture
def refuse(jp_environ: None, jp_root_dir: Path, jp_asyncio_loop: Any) -> Refuse:
    """Start a server as its command does, until it would listen, and return the message with which it ended."""

    def start(**settings: Any) -> str:
        config = Config(
            {
                "ServerApp": {
                    "jpserver_extensions": {"aumos_governance": True},
                    "root_dir": str(jp_root_dir),
                    "allow_root": True,
                },
                "GovernanceExtension": {"database_url": "memory://", **settings},
            }
        )
        # A logger outside of the logging module's tree, since the server reconfigures all others.
        log, heard = logging.Logger("refused"), Heard()  # noqa: LOG001
        log.addHandler(heard)
        app = ServerApp(config=config, log=log)

        async def initialize() -> None:
            app.init_signal = lambda: None
            app.initialize(argv=[], new_httpserver=False)

        with pytest.raises(SystemExit) as ended:
            jp_asyncio_loop.run_until_complete(initialize())
        assert ended.value.code == 1
        [sentence] = heard.sentences
        return sentence

    return start


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"default_trust_level": 9},
            "GovernanceExtension.default_trust_level is 9, but must be a trust level, a whole number from 0 to 5.",
        ),
        (
            {"max_budget": 5},
            "GovernanceExtension.default_budget is $10.00, but must be at most $5.00, the max_budget.",
        ),
        (
            {"max_bugdet": 5},
            (
                "GovernanceExtension.max_bugdet is not a setting; the settings are approval_timeout, at_limit,"
                " autostart, database_url, default_budget, default_trust_level, envelopes, gateway, gateway_port,"
                " load_in_kernels, local_socket, max_budget, max_trust_level, providers, strict, warn_at."
            ),
        ),
        (
            {"database_url": "mysql://ada:secret@host/db"},
            (
                "GovernanceExtension.database_url cannot be used: '...@host/db' names no ledger; use memory://,"
                " sqlite:///path/to/file.db or postgresql://user@host/database."
            ),
        ),
    ],
)
def test_a_setting_that_cannot_work(refuse: Refuse, settings: dict[str, Any], sentence: str) -> None:
    assert refuse(**settings) == sentence


@pytest.mark.parametrize("name", ["strict", "autostart", "database_url"])
def test_a_setting_of_another_kind(refuse: Refuse, name: str) -> None:
    assert name in refuse(**{name: 1.5})


def test_a_ledger_that_is_no_database(refuse: Refuse, tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    file.write_text("not a database, and longer than the header of one" * 50)
    sentence = refuse(database_url=f"sqlite:///{file}")
    assert sentence.startswith("GovernanceExtension.database_url cannot be used: ")
    assert file.read_text().startswith("not a database")


def test_a_failure_inside(refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(extension_module, "NotebookMap", fail)
    assert refuse() == (
        "AumOS Governance could not start (ZeroDivisionError), so the server does not start; the error above has the"
        " details."
    )
