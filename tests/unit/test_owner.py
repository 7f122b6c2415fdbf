"""The owner of notebooks, by the same rule for the server, the embedded engine and the SDK."""

from __future__ import annotations

import getpass
import os

import pytest

from aumos_governance.owner import owner
from aumos_governance.realm import Realm


def test_the_hubs_user_goes_before_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jovyan")
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    assert owner() == Realm().name == "jovyan"
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    assert owner() == Realm().name == "ada"
    assert Realm(owner="other").name == "other"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nameless)
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    assert owner() == f"uid:{os.getuid()}"
