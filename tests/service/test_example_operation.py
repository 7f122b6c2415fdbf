"""An operation that is only a declaration, used through the service, and by a real kernel on a real server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.wire.operations import CHARGING, ENDING, OPERATIONS, STANDING, add
from tests.bridge.live_server import LiveServer
from tests.service.acts import Kernel
from tests.wire import example_operation
from tests.wire.example_operation import CEILINGS

EXTENSION = """
from aumos_governance.wire.operations import add
from example_operation import CEILINGS

def _jupyter_server_extension_points():
    return [{"module": "example"}]

def _load_jupyter_server_extension(app):
    add(CEILINGS)
"""


@pytest.fixture
def added() -> Iterator[None]:
    add(CEILINGS)
    yield
    del OPERATIONS[CEILINGS.name]


@pytest.mark.usefixtures("added")
def test_the_service_responds_to_it_from_its_declaration(kernel: Kernel) -> None:
    kernel.request("open", budget="5")
    kernel.request("spend", amount="2")
    response = kernel.request(CEILINGS.name, **CEILINGS.request.body())
    assert response["ok"]
    assert response["ceilings"][0] == {
        "name": "budget",
        "kind": "session",
        "period": "lifetime",
        "limit": "5",
        "spent": "2",
        "held": "0",
        "charges": 1,
    }
    (session,) = CEILINGS.response.read(response)
    assert session.balance == Balance(5_000_000_000, 2_000_000_000, 0)


@pytest.mark.usefixtures("added")
def test_it_refuses_a_field_that_it_does_not_have(kernel: Kernel) -> None:
    refused = kernel.request(CEILINGS.name, owner="eve")
    assert (refused["ok"], refused["code"]) == (False, "INVALID_REQUEST")


@pytest.mark.usefixtures("added")
def test_it_neither_charges_nor_ends_anything() -> None:
    assert CEILINGS.name not in CHARGING | ENDING | STANDING


def test_a_real_kernel_and_server_speak_it(tmp_path: Path) -> None:
    (tmp_path / "example_operation.py").write_text(Path(example_operation.__file__).read_text("utf-8"), "utf-8")
    (tmp_path / "example.py").write_text(EXTENSION, "utf-8")
    server = LiveServer(tmp_path, environment={"PYTHONPATH": _path(tmp_path)}, extensions={"example": True})
    try:
        server.start()
        with server.notebook("example.ipynb") as kernel:
            kernel.do("open", budget="5")
            kernel.do("spend", amount="2")
            (session,) = kernel.do(CEILINGS.name)["ceilings"]
        assert (session["kind"], session["limit"], session["spent"]) == ("session", "5", "2")
    finally:
        server.close()


def _path(folder: Path) -> str:
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
