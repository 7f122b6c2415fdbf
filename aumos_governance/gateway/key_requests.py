"""Executes users' requests about gateway keys: to list, create, bind and revoke keys, and to stop a notebook's calls.

The server's REST API uses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..clock import time_text
from ..errors import InvalidRequestError, NotFoundError
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.keys import KERNEL, KEY_PATH, RUN, TERMINAL, USER, GatewayKey
from ..ledger.contract.queries import ReadState
from ..ledger.contract.requests import new_key
from ..service.service import NotebookService
from ..service.users import User
from ..wire import fields
from .contract import Holder
from .keys import GatewayKeys
from .process_environment import ProcessEnvironment

KEY_FIELDS: Final = ("kind", "name", "path", "trust_level", "budget")
"""The fields that the body of a request to create a key may have."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")
_DEFAULT_LEVEL: Final = 1


class KeyRequests:
    """Executes the requests of users about one server's gateway keys. Each method returns the body of the response.

    The methods raise the ledger's errors. Their argument ``key`` is the idempotency key of the request, not a gateway
    key.

    Args:
        environment: The environment variables for a client, which the response to `create` contains.
        owner: The owner of the server's notebooks in the ledger.
        root: The server's root folder.
        place: Returns the notebook at a path below the root folder.

    """

    def __init__(
        self,
        keys: GatewayKeys,
        service: NotebookService,
        environment: ProcessEnvironment,
        *,
        owner: str,
        root: str,
        place: Callable[[str], NotebookKey],
    ) -> None:
        self._keys = keys
        self._service = service
        self._environment = environment
        self._within = (owner, root)
        self._place = place

    def list(self, path: str | None) -> dict[str, Any]:
        """Return the valid keys, oldest first: all, or those whose calls are charged to the notebook at ``path``."""
        notebook = None if path is None else self._place(path)
        found = [key for key in self._keys.valid() if notebook is None or self._keys.document(key) == notebook]
        return {"enabled": True, "keys": [self._body(key) for key in found]}

    def create(self, user: User, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Create the key that ``body`` describes: of kind ``user`` for a user's programs, or ``run`` for one command.

        Only this response contains the secret key itself. The calls with a ``user`` key are charged to a document of
        its own, with a new governance session. ``body`` states the session's trust level and budget; the defaults are
        L1 and the server's default budget. The calls with a ``run`` key are charged to the notebook at the ``path`` in
        ``body``.
        """
        kind = fields.optional_text(body, "kind", "kind") or USER
        name = fields.text(body, "name", "name")
        if kind == USER:
            if "path" in body:
                raise InvalidRequestError("A key of kind user has a document of its own, so leave path out.")
            holder, secret = self._create_own(user, name, body, key)
        elif kind == RUN:
            if "trust_level" in body or "budget" in body:
                raise InvalidRequestError(
                    "A command has its notebook's level and budget, so leave trust_level and budget out."
                )
            notebook = self._known(fields.text(body, "path", "path"))
            origin = user.origin(self._within)
            holder, secret = self._keys.issue(RUN, name, notebook=notebook, origin=origin, key=key)
        else:
            raise InvalidRequestError(f"The kind of a new key must be user or run, not {kind[:40]!r}.")
        return {
            "key": self._body(self._named(holder.key_id)),
            "secret": secret,
            "environment": dict(self._environment.variables(secret)),
            "withheld": sorted(self._environment.withheld),
        }

    def bind(self, user: User, key_id: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        """Charge the calls with a terminal's key to the notebook at the ``path`` in ``body`` from now on."""
        notebook = self._known(fields.text(body, "path", "path"))
        return self._body(self._keys.bind(key_id, notebook, user.origin(self._within), key=key))

    def revoke(self, user: User, key_id: str, key: str | None) -> dict[str, Any]:
        """Revoke the key ``key_id``.

        For a key of kind ``user``, also close its governance session, which only it uses.
        """
        known = next((known for known in self._keys.valid() if known.key_id == key_id), None)
        notebook = None if known is None else self._keys.document(known)
        self._keys.revoke([key_id], "a user revoked it", user.origin(self._within), notebook=notebook, key=key)
        self._close(user, known)
        return {"id": key_id, "revoked": True}

    def stop(self, user: User, path: str, key: str | None) -> dict[str, Any]:
        """Revoke all keys whose calls are charged to the notebook at ``path``, in one transaction.

        This also ends the calls with these keys that are in progress.
        """
        stopped = self._keys.stop_notebook(self._place(path), user.origin(self._within), key=key)
        return {"revoked": [self._body(key) for key in stopped]}

    # ---- helpers

    def _create_own(self, user: User, name: str, body: Mapping[str, Any], key: str | None) -> tuple[Holder, str]:
        if not _NAME.fullmatch(name) or name.endswith(".ipynb"):
            raise InvalidRequestError(
                "A key's name must have at most 64 letters, digits, spaces, dots, hyphens and underscores, begin with a"
                " letter or digit, and not end with .ipynb."
            )
        given = {field: body[field] for field in ("trust_level", "budget") if body.get(field) is not None}
        given.setdefault("trust_level", _DEFAULT_LEVEL)
        owner, root = self._within
        document = NotebookKey(owner, root, KEY_PATH + name)
        issued = self._keys.issue(USER, name, notebook=document, origin=user.origin(self._within), key=key)
        try:
            # A session of this name is still open if a server was killed while it revoked an earlier key.
            self._service.close(user, document)
            self._service.change(user, document, given)
        except BaseException:
            self._keys.revoke([issued[0].key_id], "its session could not be opened", user.origin(self._within))
            raise
        return issued

    def _close(self, user: User, key: GatewayKey | None) -> None:
        if key is not None and key.kind == USER and key.notebook is not None:
            self._service.close(user, key.notebook, key=new_key())

    def _known(self, path: str) -> NotebookKey:
        notebook = self._place(path)
        if self._service.ledger.read(ReadState(notebook=notebook)).session_id is None:
            raise NotFoundError(
                f"Governance was never started in {path!r}, so no call can be charged to it; start governance in that"
                " notebook first."
            )
        return notebook

    def _named(self, key_id: str) -> GatewayKey:
        return next(key for key in self._keys.valid() if key.key_id == key_id)

    def _body(self, key: GatewayKey) -> dict[str, Any]:
        document = self._keys.document(key)
        return {
            "id": key.key_id,
            "kind": key.kind,
            "name": key.name,
            "path": None if document is None else document.path,
            "kernel_id": key.subject if key.kind == KERNEL else None,
            "terminal": key.subject if key.kind == TERMINAL else None,
            "issued_at": time_text(key.issued_at) if key.issued_at else None,
            "issued_by": key.issued_by,
        }
