"""The kernels that get the start-up hook, and what happens to the user's own start-up file."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aumos_governance.server.identity.documents import Documents
from aumos_governance.server.kernels.kernel_environment import mark_kernels
from aumos_governance.server.kernels.kernel_startup import HOOK, with_hook
from aumos_governance.wire.protocol import KERNEL_ENV, STARTUP_ENV

PYTHON = "PYTHONSTARTUP"


def kernel(language: str = "python", env: dict[str, str] | None = None, **metadata: Any) -> Any:
    return SimpleNamespace(kernel_spec=SimpleNamespace(language=language, env=env or {}, metadata=metadata))


def test_the_hook_is_a_file_of_the_package() -> None:
    assert HOOK.is_file()


@pytest.mark.parametrize("language", ["python", "Python"])
def test_a_python_kernel_gets_it(language: str) -> None:
    assert with_hook(kernel(language), {"A": "b"}) == {"A": "b", PYTHON: str(HOOK)}


@pytest.mark.parametrize("language", ["R", "julia", "bash", ""])
def test_another_kernel_keeps_its_environment(language: str) -> None:
    for environment in ({}, {PYTHON: "users.py"}):
        assert with_hook(kernel(language), environment) == environment


def test_the_users_own_goes_along() -> None:
    assert with_hook(kernel(), {PYTHON: "users.py"}) == {PYTHON: str(HOOK), STARTUP_ENV: "users.py"}


def test_that_of_a_kernelspec_wins_and_does_not_replace_the_hook() -> None:
    its = kernel(env={PYTHON: "${HOME}/spec.py", "OTHER": "1"})
    found = with_hook(its, {"HOME": "h", PYTHON: "users.py"})
    assert found == {"HOME": "h", PYTHON: str(HOOK), STARTUP_ENV: "h/spec.py"}
    assert its.kernel_spec.env == {"OTHER": "1"}


def test_a_kernel_of_another_machine_keeps_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = kernel(kernel_provisioner={"provisioner_name": "k8s-provisioner"})
    assert with_hook(elsewhere, {}) == {}
    local = kernel(kernel_provisioner={"provisioner_name": "local-provisioner"})
    monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "k8s-provisioner")
    assert with_hook(kernel(), {}) == {}
    assert with_hook(local, {}) == {PYTHON: str(HOOK)}


@pytest.mark.parametrize("users", ["", "users.py"])
def test_a_server_that_inherits_it_passes_on_only_the_users_own(users: str) -> None:
    inherited = {PYTHON: str(HOOK), **({STARTUP_ENV: users} if users else {})}
    assert with_hook(kernel("R"), inherited) == ({PYTHON: users} if users else {})
    assert with_hook(kernel(), inherited) == inherited


class Kernels:
    def pre_start_kernel(self, kernel_name: str | None, kwargs: dict[str, Any]) -> Any:
        return kernel(), kernel_name, "k"

    async def start_kernel(self, **kwargs: Any) -> str:
        raise AssertionError("not reached")


@pytest.mark.parametrize("load", [True, False])
def test_the_setting_switches_it_off(tmp_path: Path, load: bool) -> None:
    kernels = Kernels()
    documents = Documents(SimpleNamespace(), str(tmp_path))
    mark_kernels(kernels, strict=False, documents=documents, name=lambda *_: None, load_in_kernels=load)
    kwargs: dict[str, Any] = {"env": {}}
    kernels.pre_start_kernel("python3", kwargs)
    assert kwargs["env"].keys() == ({KERNEL_ENV, PYTHON} if load else {KERNEL_ENV})
