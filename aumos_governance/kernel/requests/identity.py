"""Determines whether this process is a governed kernel, was started inside a governed kernel, or is neither."""

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


class Situation(Enum):
    """The relation of this process to a governance server."""

    GOVERNED = "governed"
    OUT_OF_REACH = "out of reach"
    """The process is a governed kernel, but its server cannot reach it: it runs behind a Jupyter kernel gateway."""
    INHERITED = "inherited"
    """The process was started inside a governed kernel; the server that governs the kernel does not know it."""
    UNGOVERNED = "ungoverned"


@dataclass(frozen=True, slots=True)
class KernelIdentity:
    """The situation of this process, according to its environment variables."""

    situation: Situation
    kernel_id: str | None = None
    strict: bool = False
    """Whether the server that set the variables is strict. In a process that a strict server does not know, nothing is
    authorised."""


def identify(environ: Mapping[str, str], connection_file: str | None, *, is_kernel: bool) -> KernelIdentity:
    """Return the identity of a process from its environment and the name of its own connection file.

    ``is_kernel`` states whether a kernel runs in this process; it decides if the connection file is not known. A kernel
    that may have inherited the variable is treated as governed: it sends its requests to the server, and if the server
    does not respond, nothing is authorised. Raises ConfigurationError if the variable cannot be read.
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
    # If the application runs, its module is imported already.
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
