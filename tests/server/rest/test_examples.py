"""Copies of the package's example notebooks in a user's folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer

from aumos_governance.server.rest import examples

ROOT = Path(__file__).parents[3]


def files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if not file.name.startswith(".")]


@pytest.mark.parametrize("name", examples.EXAMPLES)
async def test_an_example_is_copied_into_the_folder(rest: Any, jp_root_dir: Path, name: str) -> None:
    (jp_root_dir / "a b").mkdir()
    response = await rest("POST", f"examples/{name}", {"folder": "/a b/"})
    assert (response.status, response.body) == (200, {"path": f"a b/{name}.ipynb"})
    copied = json.loads((jp_root_dir / "a b" / f"{name}.ipynb").read_text("utf-8"))
    original = json.loads(examples.find_example(name).read_text("utf-8"))
    assert [cell["source"] for cell in copied["cells"]] == [cell["source"] for cell in original["cells"]]
    assert files(jp_root_dir / "a b") == [f"{name}.ipynb"]


async def test_nothing_is_overwritten(rest: Any, jp_root_dir: Path) -> None:
    mine = jp_root_dir / "governed-notebook.ipynb"
    mine.write_text("mine")
    for number in (1, 2):
        response = await rest("POST", "examples/governed-notebook", {})
        assert response.body == {"path": f"governed-notebook-{number}.ipynb"}
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("name", ["nothing", "..%2F..%2Fsetup", "jupyter-governance"])
async def test_only_the_examples_are_copied(rest: Any, jp_root_dir: Path, name: str) -> None:
    response = await rest("POST", f"examples/{name}", {})
    assert (response.status, response.body["code"]) == (404, "NOT_FOUND")
    assert files(jp_root_dir) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [({"folder": "none"}, 404), ({"folder": 1}, 400), ({"path": ""}, 400), ({"folder": "../x"}, 404)],
)
async def test_a_folder_that_is_none(rest: Any, jp_root_dir: Path, body: Any, status: int) -> None:
    assert (await rest("POST", "examples/governed-notebook", body)).status == status
    assert files(jp_root_dir) == []


async def test_a_user_who_may_not_write_files_gets_none(
    rest: Any, jp_root_dir: Path, jp_serverapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoFiles(Authorizer):
        def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
            return resource != "contents"

    settings = jp_serverapp.web_app.settings
    monkeypatch.setitem(settings, "authorizer", NoFiles(identity_provider=settings["identity_provider"]))
    response = await rest("POST", "examples/governed-notebook", {})
    assert (response.status, response.body["code"]) == (403, "NOT_ALLOWED")
    assert files(jp_root_dir) == []


def test_an_installed_package_finds_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel installs them where `find_example` searches if there is no checkout."""
    tomllib = pytest.importorskip("tomllib") if sys.version_info >= (3, 11) else pytest.importorskip("tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    for source, target in shared.items():
        if source.startswith("examples/"):
            installed = tmp_path / Path(target).relative_to("share/jupyter")
            installed.parent.mkdir(parents=True, exist_ok=True)
            installed.write_bytes((ROOT / source).read_bytes())
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setattr(examples, "_CHECKOUT", tmp_path / "none")
    for name in examples.EXAMPLES:
        assert examples.find_example(name).is_relative_to(tmp_path)
