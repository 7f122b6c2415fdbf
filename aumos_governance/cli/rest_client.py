"""The client with which commands use the REST interface of a Jupyter server, over HTTP, HTTPS or a Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from ..errors import InvalidRequestError, NotFoundError, ServerUnreachableError, from_code

_PREFIX: Final = "aumos-governance/v1/"
_CHUNK: Final = 64 * 1024
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_DECIDED: Final = ("NOT_ALLOWED", "BROWSER_LOGIN_REQUIRED")
"""The error codes of responses with status 401 or 403 that do not mean an invalid token: the server accepts the token,
but forbids the request."""
_SCHEMES: Final = ("http", "https", "http+unix")
_PAGES: Final = ("/lab", "/tree", "/notebooks", "/consoles")
"""The paths of Jupyter's pages. In a URL that a user copies from the browser's address bar, they follow the server's
base URL, as in ``http://localhost:8888/lab/tree/a.ipynb``."""


class NotGovernedError(NotFoundError):
    """Raised when a Jupyter server responds, but governance is not enabled on it."""


class RestClient:
    """A client of one server's REST interface. It opens a new connection for each request.

    ``url`` is the server's base URL, ``token`` the server's token or None, and ``timeout`` the longest wait for the
    connection and for each part of a response, in seconds.

    In all methods, ``name`` is the path of a resource below ``aumos-governance/v1/``, such as ``audit/verify``. They
    raise ServerUnreachableError if no server responds or a response is incomplete, NotGovernedError if governance is
    not enabled on the server, and otherwise the error with the code that the response states.
    """

    def __init__(self, url: str, token: str | None, *, timeout: float = 60.0) -> None:
        self.url = url
        self._parts = urlsplit(url)
        self._headers = {"Authorization": f"token {token}"} if token else {}
        self._timeout = timeout

    def get(self, name: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send a GET request with these query parameters, and return the response's body."""
        return self._body("GET", name, parameters or {})

    def send(self, method: str, name: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send a request that changes something, such as a POST, and return the response's body.

        The request is sent only once. After a ServerUnreachableError, the server may or may not have made the change.
        """
        return self._body(method, name, {}, json.dumps(body or {}).encode())

    def _body(
        self, method: str, name: str, parameters: Mapping[str, str], content: bytes | None = None
    ) -> dict[str, Any]:
        with self._response(name, parameters, method, content) as response:
            body = _json_object(response.read())
        if body is None:
            raise ServerUnreachableError(
                f"The program at {self.url} is not a Jupyter server with AumOS Governance; state another URL."
            )
        return body

    def stream(self, name: str, parameters: Mapping[str, str]) -> Iterator[bytes]:
        """Send a GET request for a file, such as ``audit/export``, and yield the file's parts as they arrive.

        Raises ServerUnreachableError if the connection ends before the file is complete.
        """
        with self._response(name, parameters) as response:
            while part := response.read1(_CHUNK):
                yield part

    @contextmanager
    def _response(
        self, name: str, parameters: Mapping[str, str], method: str = "GET", content: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        base = "/" if self._parts.scheme == "http+unix" else self._parts.path.rstrip("/") + "/"
        try:
            with closing(self._connection()) as connection:
                headers = {**self._headers, **({} if content is None else {"Content-Type": "application/json"})}
                connection.request(method, f"{base}{_PREFIX}{name}{query}", content, headers)
                with connection.getresponse() as response:
                    if response.status != 200:
                        self._refuse(response)
                    yield response
        except ssl.SSLCertVerificationError as error:
            raise ServerUnreachableError(
                f"The certificate of {self.url} is not trusted ({error.verify_message}); set SSL_CERT_FILE to a file of"
                " certificates that includes its issuer's."
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachableError(f"The server {self.url} does not respond: {_reason(error)}.") from error

    def _refuse(self, response: http.client.HTTPResponse) -> None:
        body = _json_object(response.read()) or {}
        code, message = body.get("code"), body.get("message")
        if response.status in (401, 403) and code not in _DECIDED:
            raise ServerUnreachableError(
                f"The server {self.url} does not accept the token; state another with --token or in JUPYTER_TOKEN."
            )
        if isinstance(code, str) and isinstance(message, str):
            raise from_code(code, message)
        if response.status == 404:
            raise NotGovernedError(
                f"The Jupyter server {self.url} is not governed: enable the server extension aumos_governance there."
            )
        raise ServerUnreachableError(f"The server {self.url} responded with {response.status} {response.reason}.")

    def _connection(self) -> http.client.HTTPConnection:
        parts = self._parts
        if parts.scheme == "http+unix":
            return _UnixConnection(unquote(parts.netloc), self._timeout)
        host = parts.hostname or "localhost"
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self._timeout)
        context = ssl.create_default_context()
        if host in _LOOPBACK:
            # The certificate is for the name that other machines use. A connection within this machine needs no check.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(host, parts.port, timeout=self._timeout, context=context)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def server_url(raw: str) -> tuple[str, str | None]:
    """Return a server's base URL, and its token or None, from a URL that a user typed or copied from a browser.

    For ``localhost:8888/lab?token=abc`` these are ``http://localhost:8888/`` and ``abc``. Raises InvalidRequestError if
    the text is not the URL of a server.
    """
    try:
        parts = urlsplit(raw if "://" in raw else f"http://{raw}")
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.port == 0:
            raise ValueError("not a server")
    except ValueError:
        raise InvalidRequestError(
            f"{raw[:80]!r} is not the URL of a server; use one like http://localhost:8888/."
        ) from None
    path = parts.path
    for page in _PAGES:
        head, found, tail = path.partition(page)
        if found and (not tail or tail.startswith("/")):
            path = head
    token = parse_qs(parts.query).get("token", [None])[0]
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}/", token


def _json_object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _reason(error: Exception) -> str:
    if isinstance(error, http.client.IncompleteRead):
        return "it broke off in the middle of a response"
    if isinstance(error, TimeoutError):
        return "it sent nothing in time"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
