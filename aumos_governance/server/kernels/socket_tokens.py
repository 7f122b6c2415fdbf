"""The local socket's tokens. A token is valid for one process of one kernel, and only on the server that issued it."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from ...errors import NotAllowedError
from ...wire.protocol import socket_proof


class Tokens:
    """Issues and checks the tokens of one server. A token is signed with a secret of the server, and not stored."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def issue(self, kernel_id: str, nonce: str) -> str:
        """Return the token for the process of this kernel that sent ``nonce`` in its hello."""
        return f"{self._seal(kernel_id, nonce)}.{kernel_id}.{nonce}"

    def read(self, token: object) -> tuple[str, str]:
        """Return the kernel's id and the nonce for which a token was issued.

        Raises NotAllowedError if this server has not issued it, or if ``token`` is not text.
        """
        seal, _, rest = token.partition(".") if isinstance(token, str) else ("", "", "")
        kernel_id, _, nonce = rest.partition(".")
        if not hmac.compare_digest(seal.encode("utf-8", "replace"), self._seal(kernel_id, nonce).encode()):
            raise NotAllowedError(
                "This governance server did not issue this token; use the token from the response to a new hello."
            )
        return kernel_id, nonce

    def secret(self, token: str) -> str:
        """Return a token's secret, which only this server and the process that got the token know.

        Both use it for the proof of the server's identity, so it is never sent over the socket.
        """
        return hmac.new(self._secret, b"secret " + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def prove(self, token: object, challenge: object) -> str | None:
        """Return the proof that this server issued ``token``, for the random text ``challenge`` of a client.

        Returns None if the client sent no challenge.
        """
        return socket_proof(self.secret(str(token)), challenge) if isinstance(challenge, str) else None

    def _seal(self, kernel_id: str, nonce: str) -> str:
        # The length makes it unambiguous where the kernel id ends, whatever characters both contain.
        bound = f"{len(kernel_id)}:{kernel_id}{nonce}".encode("utf-8", "replace")
        return hmac.new(self._secret, bound, hashlib.sha256).hexdigest()
