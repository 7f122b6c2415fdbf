"""Which user a request to the REST interface comes from, whatever way it was authenticated.

Where a token or password alone opens the server, jupyter_server makes up an "Anonymous ..." user with a random user
name, and stores it in a cookie. A client that keeps no cookies is another user at each request.
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

__all__ = ["ANONYMOUS", "BY_TOKEN", "NO_BROWSER", "check_decides", "is_made_up", "user_of"]

BY_TOKEN: Final = "token"  # noqa: S105 - no token, but the word for one
"""The recorded name of a program that shows the server's token."""
ANONYMOUS: Final = "anonymous"
"""The recorded name of a program on a server that demands nothing."""
NO_BROWSER: Final = "BROWSER_LOGIN_REQUIRED"
"""The code of a refusal of `check_decides`."""
_RANDOM_NAME: Final = re.compile(r"[0-9a-f]{32}")
_PURPOSE: Final = b"aumos-governance idempotency scope\0"
_XSRF_HEADERS: Final = ("X-Xsrftoken", "X-Csrftoken")
"""Read by tornado's XSRF check: a page of JupyterLab sends the first with each request, a program has no need to."""


def is_made_up(handler: JupyterHandler) -> bool:
    """Whether the server knows no names of users, and made this one up."""
    user: Any = handler.current_user
    # A login handler of jupyter_server 1 gives the random user name alone.
    random = _RANDOM_NAME.fullmatch(user.username) is not None
    return random and (user.name == user.username or user.name.startswith("Anonymous "))


def user_of(handler: JupyterHandler, owner: str) -> User:
    """The user of an authenticated request; ``owner`` is the name of a server's only user.

    A user with a name keeps it. On a server whose users have none, a browser's user is the owner, and a program that
    shows the token is `BY_TOKEN`, with the token as the scope of its idempotency keys, cookies or not.
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
    """Raise NotAllowedError for a request to a JupyterHub user's server that no login in a browser stands behind.

    A kernel there has the server's own token (``JUPYTERHUB_API_TOKEN``), and a user can make others for programs. Only
    a login in a browser gives a token with a session, which the hub states with the token's user:
    https://jupyterhub.readthedocs.io/en/stable/reference/rest-api.html ("session_id"). JupyterLab's pages send that
    token in the header that programs use, so the header says nothing; and a page opened with a program's token in its
    address has a cookie, so the cookie says nothing either.
    """
    model = _hub_model(handler)
    if model is not None and not model.get("session_id"):
        raise NotAllowedError(
            "On a JupyterHub this is decided by a user who logged in with a browser, not by a program with a token, so"
            " nothing was changed; decide it in JupyterLab.",
            NO_BROWSER,
        )


def _hub_model(handler: JupyterHandler) -> Mapping[str, Any] | None:
    """The hub's description of the request's token; None on a server that is no hub's."""
    # The second is where JupyterHub leaves it in a server that runs without its extension.
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
    """What stands for the token in the ledger.

    Keyed with the server's cookie secret, which is in a file of its own and outlives a restart: a token that a human
    chose could be guessed from a bare hash.
    """
    token = handler.identity_provider.get_token(handler) or ""
    secret: str | bytes = handler.settings["cookie_secret"]
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, _PURPOSE + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
