"""Renames and deletions, carried over to the ledger: those of the contents manager, and moves on disk."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from typing import Any, Final

from ...ledger.contract.facts import Origin
from ...ledger.contract.ledger import Ledger
from ...ledger.contract.requests import DeleteNotebook, MoveNotebook, Request, new_key
from .documents import Documents
from .file_marks import FileMarks
from .rooms import Rooms

__all__ = ["ContentsMoves"]

_ORIGIN: Final = Origin(actor="server", scope="server")
_Done = Callable[[], None]


class ContentsMoves:
    """Follows the contents manager: a notebook keeps its governance under another name, a deleted one ends it.

    Its own methods are wrapped. Its events are not trusted: any authenticated client can post one.
    """

    def __init__(
        self,
        documents: Documents,
        ledger: Ledger,
        rooms: Rooms,
        log: logging.Logger,
        announce: Callable[[set[str]], None],
    ) -> None:
        self._documents = documents
        self._ledger = ledger
        self._rooms = rooms
        self._log = log
        self._announce = announce
        self._marks = FileMarks(documents)

    def follow(self, contents_manager: Any) -> None:
        """Follow the renames, deletions and saves of this manager, also those that other code makes.

        ``delete`` and ``rename`` call ``delete_file`` and ``rename_file`` in most managers, and not in all; a change
        that is seen twice is applied once.
        """
        for names, begin in (
            (("rename", "rename_file"), self._renaming),
            (("delete", "delete_file"), self._deleting),
            (("save",), self._saving),
        ):
            for name in names:
                method = getattr(contents_manager, name, None)
                if method is not None:
                    setattr(contents_manager, name, self._followed(method, begin))

    async def look(self, readers: Executor, opened: Iterable[str] = ()) -> None:
        """Follow documents that were moved on disk, past the contents manager; ``opened`` are paths below the root."""
        moved = await asyncio.get_running_loop().run_in_executor(readers, self._marks.moved, tuple(opened))
        for old, new in moved:
            self._log.info("The notebook %s was moved to %s, and so is its governance.", old, new)
            self._move(old, new, old, new)

    def _followed(self, method: Callable[..., Any], begin: Callable[..., _Done]) -> Callable[..., Any]:
        signature = inspect.signature(method)

        def call(*args: Any, **kwargs: Any) -> Any:
            done = self._begun(begin, signature, args, kwargs)
            result = method(*args, **kwargs)
            if not inspect.isawaitable(result):
                self._finish(done)
                return result

            async def finish() -> Any:
                value = await result
                self._finish(done)
                return value

            return finish()

        return call

    def _begun(
        self, begin: Callable[..., _Done], signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> _Done | None:
        try:
            # By place, since managers call their parameters differently; ``save`` has its path second.
            given = [value for value in signature.bind(*args, **kwargs).arguments.values() if isinstance(value, str)]
            return begin(*(path.strip("/") for path in given[: 2 if begin == self._renaming else 1]))
        except Exception:  # noqa: BLE001 - the manager itself says what is wrong with a call
            self._log.debug("A call of the contents manager could not be followed.", exc_info=True)
            return None

    def _finish(self, done: _Done | None) -> None:
        try:
            if done is not None:
                done()
        except Exception:  # noqa: BLE001 - the document itself was renamed or deleted, and its caller must hear so
            self._log.exception("A renamed or deleted notebook could not be followed.")

    def _renaming(self, old: str, new: str) -> _Done:
        documents = self._documents
        source, was_link = documents.entry(old), documents.is_link(documents.entry(old))

        def done() -> None:
            target = documents.entry(new)
            if not old or not new or source == target or documents.is_there(target) is False:
                return
            # Where case does not matter, a document renamed to other case is still found under its old name.
            if documents.is_there(source) and source.lower() != target.lower():
                return
            self._marks.forget(source)
            if was_link:
                # The file that it leads to is where it was.
                self._announce(self._rooms.rename(old, new))
            else:
                self._move(old, new, source, target)

        return done

    def _deleting(self, path: str) -> _Done:
        documents = self._documents
        entry, was_link = documents.entry(path), documents.is_link(documents.entry(path))

        def done() -> None:
            if path and not was_link and not documents.is_there(entry):
                self._marks.forget(entry)
                owner, root = self._rooms.owner, self._rooms.root
                self._submit(DeleteNotebook(key=new_key(), origin=_ORIGIN, owner=owner, root=root, path=entry))

        return done

    def _saving(self, path: str) -> _Done:
        return lambda: self._marks.note(self._documents.locate(path))

    def _move(self, old: str, new: str, source: str, target: str) -> None:
        """The document that was called ``old`` is called ``new``, and its file ``source`` is ``target``."""
        owner, root = self._rooms.owner, self._rooms.root
        self._submit(MoveNotebook(key=new_key(), origin=_ORIGIN, owner=owner, root=root, old=source, new=target))
        # At once and not when the move is durable: the ledger takes requests in their order, so one under the new
        # path comes after the move.
        self._announce(self._rooms.rename(old, new, source, target))

    def _submit(self, request: Request[int]) -> None:
        future = self._ledger.submit(request)
        self._rooms.await_ledger(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future[int]) -> None:
        error = future.exception()
        if error is not None:
            self._log.error("A renamed or deleted notebook could not be followed in the ledger: %s", error)
