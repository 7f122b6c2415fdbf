"""The environment variables that the server sets for its kernels and other child processes.

The module also finds out which notebook a request to start a kernel names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final
from urllib.parse import unquote

from jupyter_core.utils import ensure_async
from jupyter_server.gateway.managers import GatewayMappingKernelManager

from ...errors import InvalidRequestError
from ...wire.protocol import KERNEL_ENV, PROTOCOL_VERSION, STRICT_ENV
from ...wire.provider_keys import foreign_keys
from ..identity.documents import Documents
from ..identity.notebook_map import clean_path
from .kernel_keys import KernelKeys
from .kernel_startup import with_hook

_VOILA_PAGE: Final = "/voila/render/"


def mark_children(*, strict: bool) -> Callable[[], None]:
    """Set the environment variable that marks child processes of a strict server; do nothing if it is not strict.

    Returns a function that removes the variable again.
    """
    # A server that was started inside a governed kernel has inherited that kernel's variable. It would be passed on to
    # terminals, and to this server's kernels whenever the session manager builds an environment anew.
    os.environ.pop(KERNEL_ENV, None)
    before = os.environ.get(STRICT_ENV)
    if not strict or before:
        return lambda: None
    os.environ[STRICT_ENV] = "1"

    def unmark() -> None:
        os.environ.pop(STRICT_ENV, None)

    return unmark


def mark_kernels(
    kernel_manager: Any,
    *,
    strict: bool,
    documents: Documents,
    name: Callable[[str, str], None],
    load_in_kernels: bool = False,
    keys: KernelKeys | None = None,
    note_foreign_keys: Callable[[str, tuple[str, ...]], None] = lambda kernel_id, names: None,
) -> None:
    """Mark every kernel that this manager starts from now on as governed, by a variable in its environment.

    Kernels behind a Jupyter gateway cannot be reached from here, and the gateway chooses their ids. They get the
    variable without an id, which means governed but never reachable, so that all their requests are denied.

    Args:
        kernel_manager: The server's manager of all kernels, whose methods are wrapped.
        strict: Whether the server is strict.
        documents: Finds the notebook that the request to start a kernel names.
        name: Called with a kernel's id and the path of that notebook, if there is one.
        load_in_kernels: Whether Python kernels get the start-up hook, which loads the magics.
        keys: Issues a key of this extension's gateway to each kernel; None without this gateway.
        note_foreign_keys: Called with a kernel's id and the names of the variables in its environment that hold a
            provider's own key nevertheless.

    """
    if isinstance(kernel_manager, GatewayMappingKernelManager):
        _mark_unreachable(kernel_manager, strict)
        return
    named: ContextVar[str | None] = ContextVar("named", default=None)
    prepare, start = kernel_manager.pre_start_kernel, kernel_manager.start_kernel

    def pre_start_kernel(kernel_name: str | None, kwargs: dict[str, Any]) -> Any:
        prepared = prepare(kernel_name, kwargs)
        _mark(kwargs, prepared[2], strict)
        if load_in_kernels:
            kwargs["env"] = with_hook(prepared[0], kwargs["env"])
        if keys is not None:
            kwargs["env"] = keys.complete(prepared[0], prepared[2], kwargs["env"])
        # Jupyter adds the kernelspec's variables last.
        spec = getattr(prepared[0], "kernel_spec", None)
        note_foreign_keys(prepared[2], foreign_keys({**kwargs["env"], **(spec.env if spec is not None else {})}))
        path = named.get()
        if path is not None:
            name(prepared[2], path)
        return prepared

    async def start_kernel(*args: Any, **kwargs: Any) -> Any:
        token = named.set(await _document(documents, kwargs))
        try:
            return await ensure_async(start(*args, **kwargs))
        finally:
            named.reset(token)

    kernel_manager.pre_start_kernel = pre_start_kernel
    kernel_manager.start_kernel = start_kernel


async def _document(documents: Documents, start: Mapping[str, Any]) -> str | None:
    """Return the path of the notebook that a request to start a kernel names, or None if no existing one is named.

    ``start`` are the keyword arguments with which the kernel manager starts the kernel.
    """
    for raw in (_voila_page(start.get("env")), start.get("path")):
        try:
            path = clean_path(raw) if isinstance(raw, str) and raw.strip("/") else None
        except InvalidRequestError:
            continue
        if path is not None and await documents.is_notebook(path):
            return path
    return None


def _voila_page(env: object) -> str | None:
    # Voilà passes the page's own path in the variables of RFC 3875, and as the kernel's path only the folder.
    if isinstance(env, Mapping) and str(env.get("SERVER_SOFTWARE", "")).startswith("voila/"):
        _, found, path = str(env.get("SCRIPT_NAME", "")).partition(_VOILA_PAGE)
        return unquote(path) if found else None
    return None


def _mark_unreachable(kernel_manager: Any, strict: bool) -> None:
    original = kernel_manager.start_kernel

    async def start_kernel(**kwargs: Any) -> Any:
        _mark(kwargs, None, strict)
        return await original(**kwargs)

    kernel_manager.start_kernel = start_kernel


def _mark(kwargs: dict[str, Any], kernel_id: str | None, strict: bool) -> None:
    environment = kwargs.get("env")
    # A kernel for which no environment is passed gets the server's. It is copied, since the variable is for one kernel
    # alone.
    kwargs["env"] = {
        **(os.environ if environment is None else environment),
        KERNEL_ENV: json.dumps({"v": PROTOCOL_VERSION, "kernel_id": kernel_id, "strict": strict}),
        **({STRICT_ENV: "1"} if strict else {}),
    }
