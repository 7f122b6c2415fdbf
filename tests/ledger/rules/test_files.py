"""A notebook is its file: one identity for every root that leads to it, and for nothing else."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from aumos_governance.ledger.rules.files import file_of, is_folder, lies_in, path_below, range_of, sort_key


class Named(NamedTuple):
    owner: str
    root: str
    file: str


@pytest.mark.parametrize(
    ("root", "path", "file"),
    [
        ("/srv/ann", "a.ipynb", "/srv/ann/a.ipynb"),
        ("/srv/ann/", "a.ipynb", "/srv/ann/a.ipynb"),
        ("/", "a.ipynb", "/a.ipynb"),
        ("/srv/ann", "../bob/a.ipynb", "/srv/bob/a.ipynb"),
        ("/srv/ann", "deep/../a.ipynb", "/srv/ann/a.ipynb"),
        ("C:/users/ann", "a.ipynb", "C:/users/ann/a.ipynb"),
        ("s3", "a.ipynb", "s3:a.ipynb"),
        ("s3", "../a.ipynb", "s3:../a.ipynb"),
    ],
)
def test_root_and_path_are_one_file(root: str, path: str, file: str) -> None:
    assert file_of(root, path) == file
    assert file_of(root, path_below(root, file)) == file


@pytest.mark.parametrize(("root", "folder"), [("/srv", True), ("C:/x", True), ("s3", False), ("", False), ("C", False)])
def test_only_an_absolute_path_is_a_folder(root: str, folder: bool) -> None:
    assert is_folder(root) is folder


@pytest.mark.parametrize(
    ("root", "file", "path"),
    [
        ("/srv/ann", "/srv/ann/deep/a.ipynb", "deep/a.ipynb"),
        ("/srv/ann", "/srv/bob/a.ipynb", "../bob/a.ipynb"),
        ("/srv/ann", "/srv/annex/a.ipynb", "../annex/a.ipynb"),
        ("s3", "s3:a.ipynb", "a.ipynb"),
        ("/srv/ann", "s3:a.ipynb", "s3:a.ipynb"),
        ("s3", "/srv/ann/a.ipynb", "/srv/ann/a.ipynb"),
    ],
)
def test_a_file_is_seen_from_a_root(root: str, file: str, path: str) -> None:
    assert path_below(root, file) == path


@pytest.mark.parametrize(
    ("owner", "root", "file", "lies"),
    [
        ("ann", "/srv/ann", "/srv/ann/a.ipynb", True),
        ("ann", "/srv", "/srv/ann/a.ipynb", True),
        ("ann", "/srv", "/elsewhere/a.ipynb", False),
        ("ann", "/srv/ann", "/elsewhere/a.ipynb", True),
        ("bob", "/srv/ann", "/srv/ann/a.ipynb", False),
        ("ann", "/srv", "/srv/annex/a.ipynb", False),
        ("ann", "/srv", "/srv/ann0", False),
        ("ann", "/srv", "/srv/ann.ipynb", False),
    ],
)
def test_what_a_server_shows_lies_below_its_root_or_was_named_from_it(
    owner: str, root: str, file: str, lies: bool
) -> None:
    assert lies_in(Named(owner, root, file), "ann", "/srv/ann") is lies


@pytest.mark.parametrize("root", ["/srv/ann", "/srv/ann/", "/", "C:/x", "s3"])
def test_a_range_has_all_that_lies_below_a_root_and_nothing_else(root: str) -> None:
    first, last = range_of(root)
    for path in ("a", "0", "~", "deep/a", "\U0010ffff"):
        assert first <= file_of(root, path) < last
    assert first == file_of(root, "")


def test_a_page_begins_after_a_path() -> None:
    assert sort_key("/srv/ann", "a.ipynb") == "/srv/ann/a.ipynb"
    assert sort_key("/srv/ann", "") == ""
