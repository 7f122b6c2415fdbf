"""The local socket's tokens, each valid for one process of one kernel, and only on the server that issued it."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from ...errors import NotAllowedError
from ...wire.protocol import socket_proof


class Tokens:
    """The issuer of one server's tokens. They are signed with a secret of the server, and not stored."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, kernel_id: str, nonce: str) -> str:
        """Return the token of the kernel's process that sent its hello with ``nonce``."""
        return f"{self._seal(kernel_id, nonce)}.{kernel_id}.{nonce}"

    def read(self, token: object) -> tuple[str, str]:
        """Return the kernel id and nonce of a token; raises NotAllowedError if this server has not issued it."""
        seal, _, rest = token.partition(".") if isinstance(token, str) else ("", "", "")
        kernel_id, _, nonce = rest.partition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(kernel_id, nonce).encode()):
            raise NotAllowedError("This governance server did not issue this token.")
        return kernel_id, nonce

    def secret(self, token: str) -> str:
        """Return the secret of a token, which only this server and the token's holder know; no greeting contains it."""
        return hmac.new(self._secret, b"secret " + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def prove(self, token: object, challenge: object) -> str | None:
        """Return the proof, for a client's challenge, that this server issued the token; None without a challenge."""
        return socket_proof(self.secret(str(token)), challenge) if isinstance(challenge, str) else None

    def _seal(self, kernel_id: str, nonce: str) -> str:
        # The length makes it unambiguous where the kernel id ends, whatever characters both contain.
        bound = f"{len(kernel_id)}:{kernel_id}{nonce}".encode("utf-8", "replace")
        return hmac.new(self._secret, bound, hashlib.sha256).hexdigest()
