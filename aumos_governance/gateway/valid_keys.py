"""The valid keys in memory, by digest and by id, kept in line with the ledger that several processes change."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from hmac import compare_digest

from ..ledger.contract.keys import GatewayKey

__all__ = ["ValidKeys"]


@dataclass(slots=True)
class _Entry:
    """A valid key. ``number`` is that of the change that made it durable; infinite until then."""

    key: GatewayKey
    number: float


class ValidKeys:
    """Each method may be called from any thread. Listeners that fail are logged to ``log``."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._by_digest: dict[str, _Entry] = {}
        self._by_id: dict[str, _Entry] = {}
        self._revoked: dict[str, int] = {}
        """By id, the change that revoked a key here: what was read before it may still list the key."""
        self._changes = 0
        self._listeners: tuple[Callable[[str], None], ...] = ()

    # ---- read

    def by_digest(self, digest: str) -> GatewayKey | None:
        entry = self._by_digest.get(digest)
        # A dictionary's own comparison may end at the first difference.
        return entry.key if entry is not None and compare_digest(entry.key.digest, digest) else None

    def by_id(self, key_id: str) -> GatewayKey | None:
        entry = self._by_id.get(key_id)
        return None if entry is None else entry.key

    def all(self) -> list[GatewayKey]:
        """All of them, oldest first; those that are not durable yet come first."""
        with self._lock:
            found = [entry.key for entry in self._by_id.values()]
        return sorted(found, key=lambda key: (key.issued_at, key.key_id))

    def durable(self) -> list[GatewayKey]:
        """Those that the ledger has."""
        with self._lock:
            return [entry.key for entry in self._by_id.values() if entry.number < math.inf]

    # ---- changes made here

    def expect(self, key: GatewayKey) -> None:
        """The key is valid from now on, and will be durable: `take` follows, or `drop`."""
        with self._lock:
            self._put(key, math.inf)

    def take(self, key: GatewayKey) -> None:
        """A key as the ledger has it now, unless it was dropped here."""
        with self._lock:
            self._changes += 1
            if key.key_id not in self._revoked:
                self._put(key, self._changes)

    def drop(self, key_ids: Iterable[str]) -> None:
        """Stop accepting these keys, and notify the listeners of each one that was valid."""
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
                except Exception:  # noqa: BLE001 - the others must hear of it
                    self._log.exception("That a key was revoked could not be passed on.")

    def on_dropped(self, call: Callable[[str], None]) -> Callable[[], None]:
        """Have ``call`` called with the id of each key that is dropped, in the thread that drops it."""
        # A new object, so that one function given twice is ended once at a time.
        listener = partial(call)
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return end

    # ---- changes made elsewhere

    def begin(self) -> int:
        """Before the ledger is read: what changes here from now on is newer than what it will list."""
        with self._lock:
            return self._changes

    def adopt(self, listed: Mapping[str, GatewayKey], begun: int) -> None:
        """What the ledger listed, by id; ``begun`` is what `begin` gave before it was read."""
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
