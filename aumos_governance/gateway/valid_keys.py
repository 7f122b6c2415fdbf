"""Keeps the records of all valid gateway keys in memory, so that the gateway checks a key without reading the ledger.

Several processes issue and revoke keys in the same ledger. This process numbers its own changes, so that a read of the
ledger that began before a change does not undo it.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest

from ..ledger.contract.keys import GatewayKey


@dataclass(slots=True)
class _Entry:
    """A valid key's record, and the number of the change with which this process learned that the ledger stores it.

    The number is infinite while the ledger has not stored the key yet.
    """

    key: GatewayKey
    number: float


class ValidKeys:
    """The valid gateway keys, by digest and by id. Each method may be called from any thread.

    Listeners are functions that are called when a key becomes invalid; their errors are logged to ``log``.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._by_digest: dict[str, _Entry] = {}
        self._by_id: dict[str, _Entry] = {}
        self._revoked: dict[str, int] = {}
        """The keys that this process revoked: the number of the change that revoked each, by key id. A read of the
        ledger that began before that change may still list the key."""
        self._changes = 0
        self._listeners: tuple[Callable[[str], None], ...] = ()

    # ---- read

    def by_digest(self, digest: str) -> GatewayKey | None:
        entry = self._by_digest.get(digest)
        # The dictionary's own comparison may stop at the first difference, so it does not take constant time.
        return entry.key if entry is not None and compare_digest(entry.key.digest, digest) else None

    def by_id(self, key_id: str) -> GatewayKey | None:
        entry = self._by_id.get(key_id)
        return None if entry is None else entry.key

    def all(self) -> list[GatewayKey]:
        """Return the records of all valid keys, oldest first.

        Keys that the ledger has not stored yet come before all others, since their time of issue is 0.
        """
        with self._lock:
            found = [entry.key for entry in self._by_id.values()]
        return sorted(found, key=lambda key: (key.issued_at, key.key_id))

    def durable(self) -> list[GatewayKey]:
        """Return the records of the valid keys that the ledger has stored."""
        with self._lock:
            return [entry.key for entry in self._by_id.values() if entry.number < math.inf]

    # ---- changes made by this process

    def expect(self, key: GatewayKey) -> None:
        """Make a key valid that the ledger has not stored yet.

        The caller must later call `take` when the ledger has stored it, or `drop` if it could not.
        """
        with self._lock:
            self._put(key, math.inf)

    def take(self, key: GatewayKey) -> None:
        """Make a key valid that the ledger has stored, or update its record; ignore a key that was dropped before."""
        with self._lock:
            self._changes += 1
            if key.key_id not in self._revoked:
                self._put(key, self._changes)

    def drop(self, key_ids: Iterable[str]) -> None:
        """Make the keys with these ids invalid, and call the listeners with the id of each that was valid until now."""
        gone = []
        with self._lock:
            self._changes += 1
            for key_id in key_ids:
                self._revoked[key_id] = self._changes
                entry = self._by_id.pop(key_id, None)
                if entry is not None:
                    del self._by_digest[entry.key.digest]
                    gone.append(key_id)
            listeners = self._listeners
        for key_id in gone:
            for call in listeners:
                try:
                    call(key_id)
                except Exception:  # noqa: BLE001 - the other listeners must be called
                    self._log.exception(
                        "A listener failed when it was notified that the key %s is not valid any more.", key_id
                    )

    def on_dropped(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Add ``call`` as a listener: it is called with the id of each key that `drop` makes invalid, in that thread.

        Returns a function that removes the listener.
        """
        # Each registration is a new object, so that a function registered twice is not removed twice at once.
        listener = partial(call)
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return end

    # ---- changes made by other processes

    def begin(self) -> int:
        """Return the number of the latest change by this process, before the caller reads the keys from the ledger.

        The caller then passes the number to `adopt`.
        """
        with self._lock:
            return self._changes

    def adopt(self, listed: Mapping[str, GatewayKey], begun: int) -> None:
        """Replace the valid keys by the keys that the ledger listed, except where this process made a later change.

        ``listed`` has the records by key id. ``begun`` is the result of `begin` before the ledger was read.
        """
        with self._lock:
            gone = [id for id, entry in self._by_id.items() if id not in listed and entry.number <= begun]
            self._revoked = {id: number for id, number in self._revoked.items() if id in listed or number > begun}
            for key_id, key in listed.items():
                known = self._by_id.get(key_id)
                if key_id not in self._revoked and (known is None or known.number <= begun):
                    self._put(key, begun)
        if gone:
            self.drop(gone)

    def _put(self, key: GatewayKey, number: float) -> None:
        self._by_digest[key.digest] = self._by_id[key.key_id] = _Entry(key, number)
