"""The gateway's keys of kernels: one is issued before each process of a kernel starts, and revoked when it ends."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ...gateway.keys import GatewayKeys
from ...gateway.process_environment import ProcessEnvironment
from .presence import process_of

_STARTS_WITHIN: Final = 120.0
"""The seconds after which a kernel that is in no list of kernels is regarded as not started; its key is revoked."""


@dataclass(slots=True)
class _Process:
    """A kernel's process that runs, or is about to be started, with a key."""

    before: object
    """The process that this one replaces at a restart; None at the first start."""
    issued: float = field(default_factory=time.monotonic)
    """The time when the process's key was issued, in seconds of the monotonic clock."""
    ran: bool = False
    """Whether the process was seen running. Only then can it have ended."""
    listed: bool = False
    """Whether the process's kernel was ever in the kernel manager's list."""


class KernelKeys:
    """The issuer of a server's keys for its kernels. Its methods are called on the server's loop, and do not block."""

    def __init__(self, keys: GatewayKeys, environment: ProcessEnvironment) -> None:
        self._keys = keys
        self._environment = environment
        self._processes: dict[str, _Process] = {}

    def complete(self, kernel: Any, kernel_id: str, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with which a kernel is started, i.e. ``environment`` with a new key of the gateway.

        ``kernel`` is the kernel's manager. The gateway's variables and the providers' own keys are also removed from
        the kernelspec's variables, since Jupyter adds those last. At each restart, the kernel gets a new key.
        """
        changes = self._environment.changes(self._issue(kernel, kernel_id))
        completed = {name: value for name, value in environment.items() if name not in changes}
        completed.update({name: value for name, value in changes.items() if value is not None})
        spec = getattr(kernel, "kernel_spec", None)
        if spec is not None and changes.keys() & spec.env.keys():
            spec.env = {name: value for name, value in spec.env.items() if name not in changes}
        self._renew_at_restart(kernel, kernel_id, completed)
        return completed

    def note_process(self, kernel_id: str, process: object, alive: bool) -> None:
        """Note a kernel's current process, and revoke its key if it has ended, i.e. is not ``alive``."""
        known = self._processes.get(kernel_id)
        if known is None:
            return
        if alive and process is not None and process is not known.before:
            known.ran = True
        elif not alive and known.ran:
            self._end(kernel_id, "its kernel died")

    def note_kernels(self, kernel_ids: Collection[str]) -> None:
        """Note which kernels exist, and revoke the keys of all other kernels."""
        for kernel_id, process in list(self._processes.items()):
            if kernel_id in kernel_ids:
                process.listed = True
            elif process.listed or time.monotonic() - process.issued > _STARTS_WITHIN:
                self._end(kernel_id, "its kernel ended")

    def _renew_at_restart(self, kernel: Any, kernel_id: str, environment: Mapping[str, str]) -> None:
        restart = getattr(kernel, "restart_kernel", None)
        if restart is None:
            return

        def restart_kernel(*args: Any, **kwargs: Any) -> Any:
            # Also called for a kernel that died by itself. The environment of the first start is used again.
            variables = dict(self._environment.variables(self._issue(kernel, kernel_id)))
            if hasattr(kernel, "update_env"):
                kernel.update_env(env=variables)
            else:
                kwargs["env"] = {**environment, **variables}
            return restart(*args, **kwargs)

        kernel.restart_kernel = restart_kernel

    def _issue(self, kernel: Any, kernel_id: str) -> str:
        self._processes[kernel_id] = _Process(process_of(kernel))
        _, secret = self._keys.issue_ahead("kernel", f"kernel {kernel_id[:8]}", subject=kernel_id)
        return secret

    def _end(self, kernel_id: str, why: str) -> None:
        del self._processes[kernel_id]
        self._keys.revoke_process("kernel", kernel_id, why)
