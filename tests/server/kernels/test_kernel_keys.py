"""A kernel's key of the gateway, through starts, restarts and ends of its processes."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.gateway.process_environment import ProcessEnvironment
from aumos_governance.server.kernels.kernel_keys import KernelKeys

OURS = frozenset({"OPENAI_API_KEY", "SCHOOL_KEY"})


class Keys:
    """A replacement for the gateway's keys, which notes the issued and revoked ones."""

    def __init__(self) -> None:
        self.issued: list[str] = []
        self.revoked: list[tuple[str, str, str]] = []

    def issue_ahead(self, kind: str, name: str, *, subject: str) -> tuple[None, str]:
        self.issued.append(subject)
        return None, f"secret {len(self.issued)}"

    def revoke_process(self, kind: str, subject: str, why: str) -> None:
        self.revoked.append((kind, subject, why))


class Spec:
    def __init__(self, **env: str) -> None:
        self.env = env


class Provisioner:
    process: object = None


class Kernel:
    """A fake manager of one kernel."""

    def __init__(self, **env: str) -> None:
        self.kernel_spec = Spec(**env)
        self.provisioner = Provisioner()
        self.restarts: list[dict[str, Any]] = []

    def restart_kernel(self, now: bool = False, **options: Any) -> str:
        self.restarts.append({"now": now, **options})
        return "restarted"


class Updated(Kernel):
    """The manager of a version of jupyter_client that can change the environment of the next start."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[dict[str, str]] = []

    def update_env(self, *, env: dict[str, str]) -> None:
        self.updates.append(env)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def kernels(keys: Keys) -> KernelKeys:
    environment = ProcessEnvironment(lambda secret: {"OPENAI_API_KEY": secret, "OPENAI_BASE_URL": "here"}, OURS)
    return KernelKeys(keys, environment)  # type: ignore[arg-type]


def test_a_kernels_environment_has_a_key_in_place_of_the_providers(kernels: KernelKeys, keys: Keys) -> None:
    kernel = Kernel(OPENAI_API_KEY="of the spec", SCHOOL_KEY="of the spec", OPENAI_BASE_URL="there", PATH="kept")
    found = kernels.complete(kernel, "k", {"OPENAI_API_KEY": "of the user", "SCHOOL_KEY": "x", "HOME": "/home/ada"})
    assert found == {"HOME": "/home/ada", "OPENAI_API_KEY": "secret 1", "OPENAI_BASE_URL": "here"}
    assert kernel.kernel_spec.env == {"PATH": "kept"}
    assert keys.issued == ["k"]


def test_a_restart_has_a_new_key_whatever_jupyter_client_can_do(kernels: KernelKeys, keys: Keys) -> None:
    updated, plain = Updated(), Kernel()
    for kernel in (updated, plain):
        kernels.complete(kernel, "k", {"HOME": "/home/ada"})
        assert kernel.restart_kernel(now=True) == "restarted"
    assert updated.updates == [{"OPENAI_API_KEY": "secret 2", "OPENAI_BASE_URL": "here"}]
    assert updated.restarts == [{"now": True}]
    environment = {"HOME": "/home/ada", "OPENAI_API_KEY": "secret 4", "OPENAI_BASE_URL": "here"}
    assert plain.restarts == [{"now": True, "env": environment}]
    # The ledger itself replaces the key of the previous process.
    assert keys.revoked == []


def test_a_key_ends_when_its_process_does_and_not_while_that_is_replaced(kernels: KernelKeys, keys: Keys) -> None:
    kernel, first, second = Updated(), object(), object()
    kernels.complete(kernel, "k", {})
    # The process was not launched yet.
    kernels.note_process("k", None, False)
    kernels.note_process("k", first, True)
    kernel.provisioner.process = first
    kernel.restart_kernel()
    # The previous process may still run for a while; then there is none until the new one runs.
    for process, alive in ((first, True), (first, False), (None, False), (second, True)):
        kernels.note_process("k", process, alive)
    assert keys.revoked == []
    kernels.note_process("k", second, False)
    kernels.note_process("k", second, False)
    assert keys.revoked == [("kernel", "k", "its kernel died")]
    kernel.restart_kernel()
    assert keys.issued == ["k", "k", "k"]


def test_a_kernel_that_its_manager_lists_no_longer_is_gone(kernels: KernelKeys, keys: Keys) -> None:
    for kernel_id in ("k", "l"):
        kernels.complete(Updated(), kernel_id, {})
    # The kernel is being started, and not listed yet.
    kernels.note_kernels([])
    kernels.note_kernels(["k"])
    assert keys.revoked == []
    kernels.note_kernels([])
    assert keys.revoked == [("kernel", "k", "its kernel ended")]


def test_a_kernel_that_did_not_start_keeps_no_key(
    kernels: KernelKeys, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernels.complete(Updated(), "k", {})
    monkeypatch.setattr("aumos_governance.server.kernels.kernel_keys._STARTS_WITHIN", -1.0)
    kernels.note_kernels([])
    assert keys.revoked == [("kernel", "k", "its kernel ended")]
    kernels.note_process("unknown", object(), False)
