"""The folder of the local socket on Unix: its permissions, the removal of old ones, and the process that connects."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aumos_governance.server.kernels import socket_folder
from aumos_governance.server.kernels.local_socket import LocalSocket
from tests.server.socket_guests import LOG, Guest, Kernels, known_kernels


@pytest.fixture
def kernels() -> Iterator[Kernels]:
    with known_kernels() as known:
        yield known


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's folder, whose path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="gov") as short:
        yield Path(short) / "runtime"


def test_only_its_user_can_enter_the_folder(folder: Path, kernels: Kernels) -> None:
    served = LocalSocket(folder, LOG)
    served.open(kernels.admit)
    try:
        offer = served.offer("k", "one")
        assert offer is not None
        assert stat.S_IMODE(Path(offer["address"]).parent.stat().st_mode) == 0o700
    finally:
        served.close()


def test_a_folder_whose_path_is_too_long_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    made = socket_folder.make_folder(tmp_path / ("deep" * 30))
    try:
        assert len(os.fsencode(socket_folder.socket_path(made))) <= 100
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    finally:
        made.rmdir()


def test_what_a_dead_server_left_is_taken_away_and_a_live_one_stays(folder: Path, kernels: Kernels) -> None:
    live = LocalSocket(folder, LOG)
    live.open(kernels.admit)
    dead, young = socket_folder.make_folder(folder), socket_folder.make_folder(folder)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_folder.socket_path(dead)))
    (known,) = set(folder.iterdir()) - {dead, young}
    for old in (dead, known):
        os.utime(old, (1, 1))
    new = LocalSocket(folder, LOG)
    new.open(kernels.admit)
    try:
        assert not dead.exists()
        assert young.exists()
        assert known.exists()
        guest = Guest(live.offer("k", "one")).enter()
        guest.close()
    finally:
        new.close()
        live.close()


CHILD = (
    "import json, socket, sys\n"
    "offer = json.loads(sys.argv[1])\n"
    "link = socket.socket(socket.AF_UNIX); link.connect(offer['address'])\n"
    "link.sendall(json.dumps({'v': 1, 'token': offer['token']}).encode() + b'\\n')\n"
    "print(link.makefile().readline())"
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is at the other end")
def test_a_token_in_another_process_opens_nothing(folder: Path, kernels: Kernels) -> None:
    served = LocalSocket(folder, LOG)
    served.open(kernels.admit)
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        command = [sys.executable, "-c", CHILD, json.dumps(served.offer("k", "one"))]
        inside = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(inside.stdout)["ok"] is True, "a child of the kernel's process"
        kernels.process_id = stranger.pid
        outside = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(outside.stdout)["code"] == "NOT_ALLOWED"
    finally:
        stranger.communicate(b"\n")
        served.close()
