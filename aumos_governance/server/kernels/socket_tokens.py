"""Tokens that stand for one process of one kernel, and are worth nothing to any other server."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from ...errors import NotAllowedError
from ...wire.protocol import socket_proof

__all__ = ["Tokens"]


class Tokens:
    """Issued and read by one server alone; a token is not stored anywhere."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, kernel_id: str, nonce: str) -> str:
        """The token of the process that sent its hello with ``nonce``."""
        return f"{self._seal(kernel_id, nonce)}.{kernel_id}.{nonce}"

    def read(self, token: object) -> tuple[str, str]:
        """The kernel id and nonce that a token stands for; raises NotAllowedError for one that was not issued here."""
        seal, _, rest = token.partition(".") if isinstance(token, str) else ("", "", "")
        kernel_id, _, nonce = rest.partition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(kernel_id, nonce).encode()):
            raise NotAllowedError("This token is not one of this governance server's.")
        return kernel_id, nonce

    def secret(self, token: str) -> str:
        """What goes to the holder of a token with it, and on no connection: a server that knows it is this one."""
        return hmac.new(self._secret, b"secret " + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def prove(self, token: object, challenge: object) -> str | None:
        """Shows the holder of a token whom it talks to; None where it does not want to know."""
        return socket_proof(self.secret(str(token)), challenge) if isinstance(challenge, str) else None

    def _seal(self, kernel_id: str, nonce: str) -> str:
        # The length keeps the two apart, whatever characters they hold.
        bound = f"{len(kernel_id)}:{kernel_id}{nonce}".encode("utf-8", "replace")
        return hmac.new(self._secret, bound, hashlib.sha256).hexdigest()
