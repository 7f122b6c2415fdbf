"""The environment variable that tells a kernel at once that its server governs it."""

from __future__ import annotations

import json
import os
from typing import Any

from jupyter_server.gateway.managers import GatewayMappingKernelManager

from ..protocol import KERNEL_ENV, PROTOCOL_VERSION

__all__ = ["mark_kernels"]


def mark_kernels(kernel_manager: Any, *, strict: bool) -> None:
    """Have every kernel that this manager starts from now on carry the variable, and nothing else carry it.

    A gateway chooses its kernels' ids itself, and they cannot be reached from here: they get the variable with
    no id, which means governed and never reachable, so that they fail closed.
    """
    # A server started inside a governed kernel inherited that kernel's: it would pass to terminals, and come
    # back into our kernels' environments whenever the session manager rebuilds one.
    os.environ.pop(KERNEL_ENV, None)
    if isinstance(kernel_manager, GatewayMappingKernelManager):
        _mark_unreachable(kernel_manager, strict)
    else:
        _mark_before_start(kernel_manager, strict)


def _mark_before_start(kernel_manager: Any, strict: bool) -> None:
    original = kernel_manager.pre_start_kernel

    def pre_start_kernel(kernel_name: str | None, kwargs: dict[str, Any]) -> Any:
        prepared = original(kernel_name, kwargs)
        _mark(kwargs, prepared[2], strict)
        return prepared

    kernel_manager.pre_start_kernel = pre_start_kernel


def _mark_unreachable(kernel_manager: Any, strict: bool) -> None:
    original = kernel_manager.start_kernel

    async def start_kernel(**kwargs: Any) -> Any:
        _mark(kwargs, None, strict)
        return await original(**kwargs)

    kernel_manager.start_kernel = start_kernel


def _mark(kwargs: dict[str, Any], kernel_id: str | None, strict: bool) -> None:
    environment = kwargs.get("env")
    # Without an environment of its own a kernel gets the server's; a copy, since this is for one kernel alone.
    kwargs["env"] = {
        **(os.environ if environment is None else environment),
        KERNEL_ENV: json.dumps({"v": PROTOCOL_VERSION, "kernel_id": kernel_id, "strict": strict}),
    }
