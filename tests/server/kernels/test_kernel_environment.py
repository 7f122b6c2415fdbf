"""The notebook that a kernel was started for, if no session row names one."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.server.identity.documents import Documents
from aumos_governance.server.kernels.kernel_environment import mark_kernels


class Disk:
    def __init__(self, root: Path) -> None:
        self.root = root

    def _get_os_path(self, path: str) -> str:
        return str(self.root / path)


class Kernels:
    def pre_start_kernel(self, kernel_name: str | None, kwargs: dict[str, Any]) -> Any:
        return None, kernel_name, "k"

    async def start_kernel(self, *, path: str | None = None, **kwargs: Any) -> str:
        self.pre_start_kernel("python3", kwargs)
        return "k"


VOILA = {"SERVER_SOFTWARE": "voila/0.5.13", "SCRIPT_NAME": "/user/ada/voila/render/work/a%20page.ipynb"}


@pytest.mark.parametrize(
    ("start", "named"),
    [
        ({"path": "work/n.ipynb"}, "work/n.ipynb"),
        ({"path": "/" + "work/n.ipynb"}, "work/n.ipynb"),
        ({"path": "work"}, None),
        ({"path": "work/none.ipynb"}, None),
        ({"path": "work/n.txt"}, None),
        ({"path": "../n.ipynb"}, None),
        ({"path": None}, None),
        ({"path": 7}, None),
        ({}, None),
        ({"path": "work", "env": VOILA}, "work/a page.ipynb"),
        ({"path": "work", "env": {**VOILA, "SERVER_SOFTWARE": "other/1"}}, None),
        ({"path": "work", "env": {**VOILA, "SCRIPT_NAME": "/voila/render/work/none.ipynb"}}, None),
    ],
)
def test_only_a_notebook_that_exists_is_taken_from_a_starter(
    tmp_path: Path, start: dict[str, Any], named: str | None
) -> None:
    (tmp_path / "work").mkdir()
    for name in ("n.ipynb", "a page.ipynb", "n.txt"):
        (tmp_path / "work" / name).touch()
    kernels, reported = Kernels(), {}
    mark_kernels(kernels, strict=False, documents=Documents(Disk(tmp_path), str(tmp_path)), name=reported.__setitem__)
    asyncio.run(kernels.start_kernel(**start))
    assert reported == ({} if named is None else {"k": named})


def test_a_document_is_its_real_file_below_the_real_root(tmp_path: Path) -> None:
    root = tmp_path / "home" / "work"
    root.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "data")
    (root / "n.ipynb").touch()
    (root / "l.ipynb").symlink_to("n.ipynb")
    documents = Documents(Disk(tmp_path / "link"), str(tmp_path / "link"))
    assert documents.root == os.path.realpath(root)
    found = {path: documents.locate(path) for path in ("n.ipynb", "l.ipynb", "out/x.ipynb", "kernel:1", "console-1")}
    assert found == {
        "n.ipynb": "n.ipynb",
        "l.ipynb": "n.ipynb",
        "out/x.ipynb": "../../data/x.ipynb",
        "kernel:1": "kernel:1",
        "console-1": "console-1",
    }
    assert documents.locate("out/x-jvsc-0a1b-2c.ipynb") == "../../data/x.ipynb"
    assert documents.entry("l.ipynb") == "l.ipynb"
    assert documents.is_link("l.ipynb")


def test_what_is_not_on_disk_is_named_by_its_manager(tmp_path: Path) -> None:
    documents = Documents(Kernels(), str(tmp_path))
    assert documents.root == f"contents:{Kernels.__module__}.Kernels"
    assert documents.locate("a/n.ipynb") == "a/n.ipynb"
    assert documents.is_there("a/n.ipynb") is None
