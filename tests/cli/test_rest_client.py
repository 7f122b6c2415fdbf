"""The REST client with servers that respond wrongly, late or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aumos_governance.cli.rest_client import RestClient, server_url
from aumos_governance.errors import InvalidRequestError, LedgerError, ServerUnreachableError
from tests.cli.conftest import Run

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
Responding = Callable[[bytes], str]


@pytest.fixture
def responding() -> Iterator[Responding]:
    """Run a server that sends the same bytes for every request and closes the connection; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(response: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                requested = connection.recv(65536)
                if requested:
                    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}" if b"/config" in requested else response
                    connection.sendall(body)

    def start(response: bytes) -> str:
        threads.append(threading.Thread(target=serve, args=(response,), daemon=True))
        threads[0].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(10)


@pytest.mark.parametrize(
    "response", [CHUNKED + b"5\r\nfirst\r\n", CHUNKED + b"5\r\nfir", CHUNKED + b"5\r\nfirst\r\nff\r\nhalf"]
)
def test_a_file_that_breaks_off_is_no_file(responding: Responding, response: bytes, run: Run, tmp_path: Path) -> None:
    url = responding(response)
    file = tmp_path / "audit.jsonl"
    file.write_text("the one of yesterday")
    ended = run("export", "--server", url, "-o", str(file))
    sentence = f"The server {url} does not respond: it broke off in the middle of a response.\n"
    assert (ended.code, ended.out, ended.err) == (2, "", sentence)
    assert file.read_text() == "the one of yesterday"
    assert [path for path in tmp_path.iterdir() if path.suffix != ".jsonl"] == []


def test_a_file_that_is_whole_is_one(responding: Responding) -> None:
    client = RestClient(responding(CHUNKED + b"5\r\nfirst\r\n4\r\nlast\r\n0\r\n\r\n"), None)
    assert b"".join(client.stream("audit/export", {})) == b"firstlast"


@pytest.mark.parametrize(
    ("response", "error", "sentence"),
    [
        (b"SSH-2.0-nonsense\r\n", ServerUnreachableError, "does not respond: "),
        (b"", ServerUnreachableError, "does not respond: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", ServerUnreachableError, "is not a Jupyter server"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1\r\n\r\nx",
            ServerUnreachableError,
            "responded with 502 Bad Gateway",
        ),
        (
            b'HTTP/1.1 503 x\r\nContent-Length: 56\r\n\r\n{"code": "LEDGER_UNAVAILABLE", "message": "It is full."}',
            LedgerError,
            "It is full.",
        ),
    ],
)
def test_other_responses_are_one_sentence(
    responding: Responding, response: bytes, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        RestClient(responding(response), None).get("notebooks")


def test_a_silent_server_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = RestClient(f"http://127.0.0.1:{silent.getsockname()[1]}/", None, timeout=0.1)
        with pytest.raises(ServerUnreachableError, match=r"does not respond: it sent nothing in time\.$"):
            client.get("config")


def test_a_unix_socket_is_used(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        client = RestClient(f"http+unix://{str(tmp_path / 's').replace('/', '%2F')}/", "secret")
        requested = []

        def serve() -> None:
            with listener.accept()[0] as connection:
                requested.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve)
        thread.start()
        assert client.get("notebooks", {"limit": "5"}) == {}
        thread.join(10)
    assert requested[0].startswith(b"GET /aumos-governance/v1/notebooks?limit=5 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: token secret\r\n" in requested[0]


@pytest.mark.parametrize(
    ("raw", "url", "token"),
    [
        ("http://localhost:8888", "http://localhost:8888/", None),
        ("localhost:8888/?token=abc", "http://localhost:8888/", "abc"),
        ("https://hub.example/user/ann/lab/tree/a.ipynb", "https://hub.example/user/ann/", None),
        ("http://localhost:8888/base/tree?token=t", "http://localhost:8888/base/", "t"),
        ("http://localhost:8888/labs/", "http://localhost:8888/labs/", None),
        ("http+unix://%2Ftmp%2Fs/", "http+unix://%2Ftmp%2Fs/", None),
    ],
)
def test_a_url_is_read_as_users_copy_it(raw: str, url: str, token: str | None) -> None:
    assert server_url(raw) == (url, token)


@pytest.mark.parametrize("raw", ["", "ftp://x", "http://", "http://x:port", "http://[::1", "http://x:0"])
def test_what_is_no_url_is_refused(raw: str) -> None:
    with pytest.raises(InvalidRequestError, match="is not the URL of a server"):
        server_url(raw)
