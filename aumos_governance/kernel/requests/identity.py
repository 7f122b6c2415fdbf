"""Determines whether this process is a governed kernel, was started inside one, or has no governance server.

A governed Jupyter server sets an environment variable in its kernels, which their child processes inherit.
"""

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
    """How this process is related to a governed Jupyter server."""

    GOVERNED = "governed"
    OUT_OF_REACH = "out of reach"
    """The process is a governed kernel that its server cannot reach, because it runs behind a Jupyter kernel
    gateway."""
    INHERITED = "inherited"
    """The process was started inside a governed kernel and is not that kernel, so the server does not know it."""
    UNGOVERNED = "ungoverned"


@dataclass(frozen=True, slots=True)
class KernelIdentity:
    """What the environment variables of this process state about its governance server, as `identify` returns it."""

    situation: Situation
    kernel_id: str | None = None
    strict: bool = False
    """Whether that server is strict (``GovernanceExtension.strict``): then nothing is authorised in a process that the
    server does not know."""


def identify(environ: Mapping[str, str], connection_file: str | None, *, is_kernel: bool) -> KernelIdentity:
    """Return how a process with these environment variables is related to a governed server.

    The server's variable names the kernel that it was set for. The process is that kernel if its own
    ``connection_file``, ``kernel-<id>.json``, has the same id. If the file is not known, the process counts as that
    kernel if ``is_kernel``, that is, if any kernel runs in it; a wrong guess authorises nothing, since the server then
    does not respond. Raises ConfigurationError if the variable cannot be read.
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
    """Return the name of the connection file of this process's ipykernel application, such as ``kernel-<id>.json``.

    Returns None if no such application runs in this process.
    """
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
