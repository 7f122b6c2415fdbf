"""Identification of the user who sent a REST request, for every kind of authentication that a Jupyter server has.

On a server that has only a token or a password, jupyter_server makes up an "Anonymous ..." user with a random user
name, and stores it in a cookie. A client that keeps no cookies would be another user at each request. So audit records
have other names for such users: the server's owner, ``token`` or ``anonymous``.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from jupyter_server.base.handlers import JupyterHandler

from ...errors import NotAllowedError
from ...service.users import User

BY_TOKEN: Final = "token"  # noqa: S105 - a name for the records, and no secret
"""The user name in audit records of a program that sends the server's token."""
ANONYMOUS: Final = "anonymous"
"""The user name in audit records of a program on a server without authentication."""
NO_BROWSER: Final = "BROWSER_LOGIN_REQUIRED"
"""The code of the error if a program sends a request that only a user in a browser may send; see `check_decides`."""
_RANDOM_NAME: Final = re.compile(r"[0-9a-f]{32}")
_PURPOSE: Final = b"aumos-governance idempotency scope\0"
_XSRF_HEADERS: Final = ("X-Xsrftoken", "X-Csrftoken")
"""The headers of tornado's XSRF check: JupyterLab's pages send the first with each request, programs need none."""


def is_made_up(handler: JupyterHandler) -> bool:
    """Whether jupyter_server made up the name of the request's user, since this server has no user names."""
    user: Any = handler.current_user
    # With a login handler of jupyter_server 1, the display name is the random user name too.
    random = _RANDOM_NAME.fullmatch(user.username) is not None
    return random and (user.name == user.username or user.name.startswith("Anonymous "))


def user_of(handler: JupyterHandler, owner: str) -> User:
    """Return the user of an authenticated request, with the name for the audit records.

    ``owner`` is the user whose notebooks the server serves. On a server with user names, the user has the name of the
    login. On other servers, a user in a browser is the owner, and a program is `BY_TOKEN` or `ANONYMOUS`. All requests
    with one token have the same scope of idempotency keys, with or without cookies: a hash of the token.
    """
    if not is_made_up(handler):
        return User(str(handler.current_user.username))
    by_token, with_cookie = _is_by_token(handler), _has_login_cookie(handler)
    if by_token:
        scope = f"token:{_fingerprint(handler)}"
    else:
        scope = f"user:{handler.current_user.username}" if with_cookie else ANONYMOUS
    in_browser = with_cookie and (not by_token or any(name in handler.request.headers for name in _XSRF_HEADERS))
    return User(owner if in_browser else BY_TOKEN if by_token else ANONYMOUS, scope)


def check_decides(handler: JupyterHandler) -> None:
    """Check that a request may decide for a user, such as raise a budget: on a JupyterHub, it must be from a browser.

    Raises NotAllowedError on a JupyterHub unless the request's token is from a user's login with a browser.

    A kernel there has the server's own token (``JUPYTERHUB_API_TOKEN``), and a user can create further tokens for
    programs. Only the token of a login with a browser has a session, which the hub states in the token's user model:
    https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html ("session_id"). Neither the token's header nor a
    cookie proves a browser: JupyterLab's pages send the token in the header that programs use, and a page that was
    opened with a program's token in its URL has a cookie.
    """
    model = _hub_model(handler)
    if model is not None and not model.get("session_id"):
        raise NotAllowedError(
            "On a JupyterHub only a user who logged in with a browser can do this, not a program with a token, so"
            " nothing was changed; do it in JupyterLab.",
            NO_BROWSER,
        )


def _hub_model(handler: JupyterHandler) -> Mapping[str, Any] | None:
    """Return JupyterHub's description of the request's token and user; None if JupyterHub does not run this server."""
    # JupyterHub stores the model in _cached_hub_user if the server runs without JupyterHub's extension.
    for model in (getattr(handler.current_user, "hub_user", None), getattr(handler, "_cached_hub_user", None)):
        if isinstance(model, Mapping):
            return model
    return None


def _is_by_token(handler: JupyterHandler) -> bool:
    return bool(handler.identity_provider.is_token_authenticated(handler))


def _has_login_cookie(handler: JupyterHandler) -> bool:
    provider = handler.identity_provider
    name = provider.get_cookie_name(handler)
    return handler.get_signed_cookie(name, **provider.get_secure_cookie_kwargs) is not None


def _fingerprint(handler: JupyterHandler) -> str:
    """Return a keyed hash of the request's token. The ledger stores this hash, so that it need not store the token.

    The key is the server's cookie secret, which is stored in a file and so is the same after a restart. Without a key,
    a token that a user chose could be guessed from its hash.
    """
    token = handler.identity_provider.get_token(handler) or ""
    secret: str | bytes = handler.settings["cookie_secret"]
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, _PURPOSE + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
