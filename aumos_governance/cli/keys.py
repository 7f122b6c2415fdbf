"""The command ``jupyter governance key``: it lists, issues and revokes keys of a server's gateway.

The gateway forwards API calls to the providers. A program sends such a key in place of the provider's own key, and its
calls are charged to the key's budget.
"""

from __future__ import annotations

import shlex
from argparse import Namespace
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError, NotFoundError
from . import output
from .own_terminal import require_own_terminal
from .server_source import ServerSource
from .tables import Column, table

_KEYS: Final = (
    Column("KEY", cut="end"),
    Column("KIND"),
    Column("NOTEBOOK", cut="start"),
    Column("ISSUED"),
    Column("BY", cut="end"),
    Column("ID"),
)
_OWN: Final = "user"
"""The ``kind`` of a key that a user issued for a program of their own; keys of kernels, for example, have others."""


def key(options: Namespace, server: ServerSource) -> None:
    """List the keys of ``server``, or create or revoke one, as ``options.action`` states.

    Raises AumOSGovernanceError if the server refuses the request or does not respond.
    """
    if options.action == "list":
        _list(options, server)
        return
    require_own_terminal("Keys can only be issued and revoked")
    if options.action == "create":
        _create(options, server)
    else:
        _revoke(options, server)


def _list(options: Namespace, server: ServerSource) -> None:
    body = server.keys()
    if options.json:
        output.print_json(body)
    elif not body["enabled"]:
        output.print_lines([f"The {server.name} has no gateway, so there are no keys."])
    else:
        lines = table(_KEYS, [_row(found) for found in body["keys"]], output.terminal_width())
        output.print_lines(lines if body["keys"] else ["There are no valid keys."])


def _create(options: Namespace, server: ServerSource) -> None:
    body: dict[str, Any] = {"name": options.name}
    if options.level is not None:
        body["trust_level"] = options.level
    if options.budget is not None:
        body["budget"] = money.to_text(money.parse(options.budget, what="budget"))
    created = server.create_key(body)
    if options.json:
        output.print_json(created)
    else:
        # In the syntax of a shell, for eval "$(jupyter governance key create NAME)".
        variables = sorted(created["environment"].items())
        output.print_lines(f"export {name}={shlex.quote(value)}" for name, value in variables)
    state = server.state(created["key"]["path"])
    output.notify(
        f"Key {options.name!r}: trust level L{state['trust_level']}, budget"
        f" {money.display(money.parse(state['budget']))}. The key is shown only this once, and is valid until you run"
        f" jupyter governance key revoke {shlex.quote(options.name)}."
    )


def _revoke(options: Namespace, server: ServerSource) -> None:
    keys = server.keys()["keys"]
    matching = [found for found in keys if options.name == found["id"]]
    matching = matching or [found for found in keys if (found["kind"], found["name"]) == (_OWN, options.name)]
    matching = matching or [found for found in keys if found["name"] == options.name]
    if not matching:
        raise NotFoundError(f"There is no valid key {options.name!r}; run jupyter governance key list to see all.")
    if len(matching) > 1:
        raise InvalidRequestError(
            f"Several keys have the name {options.name!r}; state the id of one, from jupyter governance key list."
        )
    server.revoke_key(matching[0]["id"])
    if options.json:
        output.print_json({"key": matching[0]})
    output.notify(f"The key {matching[0]['name']!r} is revoked.")


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    issued = (found["issued_at"] or "").partition(".")[0].replace("T", " ").removesuffix("Z")
    return (found["name"], found["kind"], found["path"] or "", issued, found["issued_by"], found["id"])
