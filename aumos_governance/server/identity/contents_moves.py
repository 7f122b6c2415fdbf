"""The observer of renamed, deleted and moved notebooks. It applies these changes to the ledger.

So a notebook keeps its session, its budget and its audit records when its path changes.
"""

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
from .notebook_map import NotebookMap

_ORIGIN: Final = Origin(actor="server", scope="server")
_Done = Callable[[], None]


class ContentsMoves:
    """The observer of a contents manager. It reports renamed and deleted notebooks to the ledger.

    A renamed notebook keeps its session; the session of a deleted notebook ends. The manager's methods are wrapped; its
    events are not trusted, since any authenticated client can post one. ``announce`` is called with the paths whose
    documents belong to another session after a rename, so that pages are sent the new state.
    """

    def __init__(
        self,
        documents: Documents,
        ledger: Ledger,
        notebooks: NotebookMap,
        log: logging.Logger,
        announce: Callable[[set[str]], None],
    ) -> None:
        self._documents = documents
        self._ledger = ledger
        self._notebooks = notebooks
        self._log = log
        self._announce = announce
        self._marks = FileMarks(documents)

    def follow(self, contents_manager: Any) -> None:
        """Observe this manager from now on: wrap its methods that rename, delete and save documents.

        So calls by any code are noticed. In most managers, but not in all, ``delete`` and ``rename`` call
        ``delete_file`` and ``rename_file``, so all four are wrapped; a change that is noticed twice is applied once.
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

    async def find_moved(self, readers: Executor, opened: Iterable[str] = ()) -> None:
        """Detect documents that were moved on disk without the contents manager, and report the moves to the ledger.

        ``opened`` are the paths of the files, below the root folder, of the documents that are open now. The file
        system is read in a thread of ``readers``.
        """
        moved = await asyncio.get_running_loop().run_in_executor(readers, self._marks.moved, tuple(opened))
        for old, new in moved:
            self._log.info("The notebook %s was moved to %s on disk, and keeps its governance there.", old, new)
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
            # Only the arguments that are text, in their order: managers name their parameters differently, and the
            # path of ``save`` comes after the model.
            given = [value for value in signature.bind(*args, **kwargs).arguments.values() if isinstance(value, str)]
            return begin(*(path.strip("/") for path in given[: 2 if begin == self._renaming else 1]))
        except Exception:  # noqa: BLE001 - the manager itself raises the error of a wrong call
            self._log.debug(
                "A call of the contents manager could not be checked for a rename or deletion.", exc_info=True
            )
            return None

    def _finish(self, done: _Done | None) -> None:
        try:
            if done is not None:
                done()
        except Exception:  # noqa: BLE001 - the document was renamed or deleted, so the call must succeed
            self._log.exception(
                "The rename or deletion of a notebook could not be applied to its session, which keeps the old path."
            )

    def _renaming(self, old: str, new: str) -> _Done:
        documents = self._documents
        source, was_link = documents.entry(old), documents.is_link(documents.entry(old))

        def done() -> None:
            target = documents.entry(new)
            if not old or not new or source == target or documents.is_there(target) is False:
                return
            # On a file system that ignores case, a document whose name changed only in case is still found by the old
            # name.
            if documents.is_there(source) and source.lower() != target.lower():
                return
            self._marks.forget(source)
            if was_link:
                # Only the link was renamed; the file that it points to did not move.
                self._announce(self._notebooks.rename(old, new))
            else:
                self._move(old, new, source, target)

        return done

    def _deleting(self, path: str) -> _Done:
        documents = self._documents
        entry, was_link = documents.entry(path), documents.is_link(documents.entry(path))

        def done() -> None:
            if path and not was_link and not documents.is_there(entry):
                self._marks.forget(entry)
                owner, root = self._notebooks.owner, self._notebooks.root
                self._submit(DeleteNotebook(key=new_key(), origin=_ORIGIN, owner=owner, root=root, path=entry))

        return done

    def _saving(self, path: str) -> _Done:
        return lambda: self._marks.note(self._documents.locate(path))

    def _move(self, old: str, new: str, source: str, target: str) -> None:
        """Apply a rename to the ledger and to the map of notebooks.

        The document's path changed from ``old`` to ``new``, and the path of its file, with symbolic links resolved,
        from ``source`` to ``target``.
        """
        owner, root = self._notebooks.owner, self._notebooks.root
        self._submit(MoveNotebook(key=new_key(), origin=_ORIGIN, owner=owner, root=root, old=source, new=target))
        # There is no wait until the move is durable: the ledger executes requests in order, so a request under the new
        # path is executed after the move.
        self._announce(self._notebooks.rename(old, new, source, target))

    def _submit(self, request: Request[int]) -> None:
        future = self._ledger.submit(request)
        self._notebooks.await_ledger(future)
        future.add_done_callback(self._done)

    def _done(self, future: Future[int]) -> None:
        error = future.exception()
        if error is not None:
            self._log.error(
                "The ledger did not record the rename or deletion of a notebook, whose session keeps the old path: %s",
                error,
            )
