"""Whether a process is a governed kernel, started inside one, out of its server's reach, or ungoverned."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aumos_governance.errors import ConfigurationError
from aumos_governance.kernel.requests.identity import Situation, identify
from aumos_governance.kernel.transports.embedded import notebook_name
from aumos_governance.wire.protocol import KERNEL_ENV

KERNEL_ID = "0c9e2d0e-4f0e-4a36-9a7b-1d8f3f1c2b3a"


def environ(**fields: object) -> dict[str, str]:
    return {KERNEL_ENV: json.dumps({"v": 1, "kernel_id": KERNEL_ID, **fields})}


def test_without_the_sign_nothing_governs() -> None:
    assert identify({}, f"kernel-{KERNEL_ID}.json", is_kernel=True).situation is Situation.UNGOVERNED
    assert identify({KERNEL_ENV: ""}, None, is_kernel=False).situation is Situation.UNGOVERNED


def test_the_own_connection_file_distinguishes_a_governed_kernel_from_one_started_inside_it() -> None:
    own = identify(environ(strict=True), f"/run/jupyter/kernel-{KERNEL_ID}.json", is_kernel=True)
    assert (own.situation, own.kernel_id, own.strict) == (Situation.GOVERNED, KERNEL_ID, True)
    inner = identify(environ(strict=True), "/run/jupyter/kernel-another.json", is_kernel=True)
    assert (inner.situation, inner.strict) == (Situation.INHERITED, True)
    assert identify(environ(), None, is_kernel=False).situation is Situation.INHERITED


def test_a_kernel_with_no_connection_file_to_be_found_counts_as_governed() -> None:
    assert identify(environ(), None, is_kernel=True).situation is Situation.GOVERNED


def test_strict_is_optional_and_only_true_when_it_says_so() -> None:
    file = f"kernel-{KERNEL_ID}.json"
    assert identify(environ(), file, is_kernel=True).strict is False
    assert identify(environ(strict="yes"), file, is_kernel=True).strict is False


def test_a_gateways_kernel_has_no_id() -> None:
    assert identify(environ(kernel_id=None), "kernel-x.json", is_kernel=True).situation is Situation.OUT_OF_REACH


@pytest.mark.parametrize("raw", ["yes", "[]", '"kernel"', '{"kernel_id": 7}', "{"])
def test_a_sign_that_cannot_be_read_fails_closed(raw: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        identify({KERNEL_ENV: raw}, "kernel-x.json", is_kernel=True)


def test_the_front_end_states_the_notebooks_name(tmp_path: Path) -> None:
    reported = str(tmp_path / "a.ipynb")
    assert notebook_name({"__vsc_ipynb_file__": reported}, {"JPY_SESSION_NAME": "b.ipynb"}) == reported
    assert notebook_name({"PAPERMILL_INPUT_PATH": "c.ipynb"}, {}) == str(Path.cwd() / "c.ipynb")
    assert notebook_name({}, {"JPY_SESSION_NAME": "b.ipynb"}) == "b.ipynb"
    assert notebook_name({"__vsc_ipynb_file__": 3}, {"JPY_SESSION_NAME": ""}) is None
