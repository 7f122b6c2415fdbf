"""What this process is: a kernel that a server governs, a child that inherited its variable, or neither."""

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
    """Governed, and run where its server cannot reach it: behind a gateway."""
    INHERITED = "inherited"
    """Started inside a governed kernel: the server that governs its parent does not know it."""
    UNGOVERNED = "ungoverned"


@dataclass(frozen=True, slots=True)
class KernelIdentity:
    """What the environment variables state about this process."""

    situation: Situation
    kernel_id: str | None = None
    strict: bool = False
    """The server that set the environment is strict, so that what it or its kernels start, and it does not know, fails
    closed."""


def identify(environ: Mapping[str, str], connection_file: str | None, *, is_kernel: bool) -> KernelIdentity:
    """Read the environment of a process whose own connection file has this name.

    ``is_kernel``: a kernel runs in this process, even if its connection file is not known. Where it is not certain that
    the variable was inherited, the process counts as governed: it makes its requests, and fails closed. Raises
    ConfigurationError for a variable that cannot be read.
    """
    raw = environ.get(KERNEL_ENV)
    inside_strict = bool(environ.get(STRICT_ENV))
    if not raw:
        return KernelIdentity(Situation.UNGOVERNED, None, inside_strict)
    sign = _read(raw)
    kernel_id = sign.get("kernel_id")
    strict = inside_strict or sign.get("strict") is True
    if kernel_id is None:
        return KernelIdentity(Situation.OUT_OF_REACH, None, strict)
    mine = is_kernel if connection_file is None else PurePath(connection_file).name == f"kernel-{kernel_id}.json"
    return KernelIdentity(Situation.GOVERNED if mine else Situation.INHERITED, kernel_id, strict)


def connection_file_name() -> str | None:
    """The connection file of the ipykernel application in this process, if there is one."""
    # Imported already where it runs, and not worth importing where it does not.
    module: Any = sys.modules.get("ipykernel.kernelapp")
    application = getattr(module, "IPKernelApp", None)
    if application is None or not application.initialized():
        return None
    return PurePath(application.instance().connection_file).name


def _read(raw: str) -> Mapping[str, Any]:
    try:
        sign = json.loads(raw)
    except ValueError:
        sign = None
    if isinstance(sign, dict) and isinstance(sign.get("kernel_id", ""), str | None):
        return sign
    raise ConfigurationError(
        f"This kernel is governed, but its environment variable {KERNEL_ENV} cannot be read, so nothing is authorised;"
        " restart the kernel, and leave that variable to the Jupyter server."
    )
