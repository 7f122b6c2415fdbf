"""The commands in docs/cli.md run through the ``jupyter`` launcher, and its exit codes are those of the help."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from aumos_governance.cli import command, options
from aumos_governance.server.rest import audit_filter
from tests.bridge.live_server import LiveServer
from tests.cli.conftest import environment
from tests.docs.pages import ROOT, fences

PAGE = ROOT / "docs" / "cli.md"
COMMANDS = [line for block in fences(PAGE, "sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def variables(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the page's commands: a governed notebook, and a launcher like that of an installation."""
    folder = tmp_path_factory.mktemp("bin")
    launcher = folder / "jupyter-governance"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} -m aumos_governance.cli "$@"\n')
    launcher.chmod(0o755)
    path = f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    state = {"path": "work/agents.ipynb"}
    server.json("PATCH", "aumos-governance/v1/state", params=state, json={"budget": "5", "agent_id": "bot"})
    heads = server.json("GET", "aumos-governance/v1/audit/verify")["heads"]
    ledger = f"sqlite:///{server.home}/data/aumos_governance/ledger.sqlite"
    return environment(server.home, PATH=path, SERVER=server.url, LEDGER=ledger, HEAD=heads["ledger"])


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_runs(line: str, variables: dict[str, str], tmp_path: Path) -> None:
    assert line.startswith("jupyter governance ")
    done = subprocess.run(
        ["bash", "-c", line], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_page_names_the_commands_and_codes_that_there_are() -> None:
    text = PAGE.read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(command._COMMANDS)
    codes = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    assert codes == re.findall(r"^  (\d+) ", options._CODES, re.MULTILINE)
    known = (command.GOOD, command.FOUND, command.FAILED, command.DAMAGED, command._PIPE_CLOSED)
    assert codes == [str(code) for code in known]


def test_the_filters_are_those_of_the_interface() -> None:
    assert {*options.FILTERS, "format"} == set(audit_filter.EXPORT_PARAMETERS)


def test_an_installation_has_the_command() -> None:
    (target,) = re.findall(r'^jupyter-governance = "([\w.:]+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    module, _, name = target.partition(":")
    assert callable(getattr(import_module(module), name))
