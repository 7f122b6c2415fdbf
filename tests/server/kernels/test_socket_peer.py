"""The process at the other end of a local connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from aumos_governance.errors import NotAllowedError
from aumos_governance.server.kernels import socket_peer
from aumos_governance.server.kernels.socket_peer import check_peer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is at the other end")


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """Yield a connection whose other end is in this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        yield ours


def test_ones_own_process_and_what_descends_from_it_are_let_in(connection: socket.socket) -> None:
    check_peer(connection, None)
    check_peer(connection, os.getpid())
    check_peer(connection, os.getppid())


@pytest.mark.parametrize("kernel_pid", [None, os.getpid()], ids=["unknown", "known"])
def test_another_users_process_is_kept_out(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch, kernel_pid: int | None
) -> None:
    user = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: user)
    with pytest.raises(NotAllowedError, match="own user"):
        check_peer(connection, kernel_pid)


def test_a_process_that_does_not_descend_from_the_kernel_is_kept_out(connection: socket.socket) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        with pytest.raises(NotAllowedError, match="neither the kernel"):
            check_peer(connection, child.pid)
        child.communicate(b"\n")


def test_a_connection_without_a_known_peer_is_let_in(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        check_peer(listening, -1)
    monkeypatch.setattr(socket_peer, "sys", SimpleNamespace(platform="darwin"))
    check_peer(connection, -1)


@pytest.fixture
def parents(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Replace the parents of processes by this mapping; the process of the test is number 1000."""
    found: dict[int, int] = {}
    monkeypatch.setattr(socket_peer, "_parent", found.get)
    monkeypatch.setattr(socket_peer, "_CREDENTIALS", SimpleNamespace(size=12, unpack=lambda _: (1000, os.getuid(), 0)))
    return found


@pytest.mark.parametrize(("generations", "allowed"), [(62, True), (63, True), (64, False)])
def test_a_line_of_descent_is_followed_to_an_end(
    connection: socket.socket, parents: dict[int, int], generations: int, allowed: bool
) -> None:
    parents.update({1000 + number: 1001 + number for number in range(100)})
    if allowed:
        check_peer(connection, 1000 + generations)
    else:
        with pytest.raises(NotAllowedError):
            check_peer(connection, 1000 + generations)


@pytest.mark.parametrize("line", [{}, {1000: 0}, {1000: 1, 1: 900}, {1000: 5, 5: 1, 1: 0, 0: 900}])
def test_it_ends_at_the_first_process_and_at_one_that_is_gone(
    connection: socket.socket, parents: dict[int, int], line: dict[int, int]
) -> None:
    parents.update(line)
    with pytest.raises(NotAllowedError):
        check_peer(connection, 900)


def test_a_program_whose_name_looks_like_figures_has_its_true_parent(tmp_path_factory: pytest.TempPathFactory) -> None:
    odd = tmp_path_factory.mktemp("odd") / "a) S 1 (b"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([odd, "60"]) as child:
        assert socket_peer._parent(child.pid) == os.getpid()
        child.kill()
    assert socket_peer._parent(child.pid) is None
