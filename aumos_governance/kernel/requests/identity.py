"""Determines whether this process is a kernel that a server governs, a child of one, or neither."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from ...errors import ConfigurationError
from ...wire.protocol import KERNEL_ENV, STRICT_ENV

__all__ = ["KernelIdentity", "Situation", "connection_file_name", "identify"]


class Situation(Enum):
    """The relation of this process to a governance server."""

    GOVERNED = "governed"
    OUT_OF_REACH = "out of reach"
    """It is governed, and its server cannot reach it, since it runs behind a Jupyter kernel gateway."""
    INHERITED = "inherited"
    """It was started inside a governed kernel; the server that governs the kernel does not know it."""
    UNGOVERNED = "ungoverned"


@dataclass(frozen=True, slots=True)
class KernelIdentity:
    """What the environment variables state about this process."""

    situation: Situation
    kernel_id: str | None = None
    strict: bool = False
    """Whether the server that set the variables is strict; it denies everything to processes that it does not know."""


def identify(environ: Mapping[str, str], connection_file: str | None, *, is_kernel: bool) -> KernelIdentity:
    """Return the identity of a process from its environment and the name of its own connection file.

    ``is_kernel``: a kernel runs in this process, even where its connection file is not known. Where it is not certain
    that the variable was inherited, the process counts as governed: it sends its requests to the server, and without
    responses nothing is authorised. Raises ConfigurationError for a variable that cannot be read.
    """
    raw = environ.get(KERNEL_ENV)
    inside_strict = bool(environ.get(STRICT_ENV))
    if not raw:
        return KernelIdentity(Situation.UNGOVERNED, None, inside_strict)
    fields = _read(raw)
    kernel_id = fields.get("kernel_id")
    strict = inside_strict or fields.get("strict") is True
    if kernel_id is None:
        return KernelIdentity(Situation.OUT_OF_REACH, None, strict)
    is_own = is_kernel if connection_file is None else PurePath(connection_file).name == f"kernel-{kernel_id}.json"
    return KernelIdentity(Situation.GOVERNED if is_own else Situation.INHERITED, kernel_id, strict)


def connection_file_name() -> str | None:
    """Return the name of the connection file of the ipykernel application in this process; None without one."""
    # Where the application runs, its module is imported already.
    module: Any = sys.modules.get("ipykernel.kernelapp")
    application = getattr(module, "IPKernelApp", None)
    if application is None or not application.initialized():
        return None
    return PurePath(application.instance().connection_file).name


def _read(raw: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(raw)
    except ValueError:
        fields = None
    if isinstance(fields, dict) and isinstance(fields.get("kernel_id", ""), str | None):
        return fields
    raise ConfigurationError(
        f"This kernel is governed, but its environment variable {KERNEL_ENV} cannot be read, so nothing is authorised;"
        " restart the kernel, and leave that variable to the Jupyter server."
    )
