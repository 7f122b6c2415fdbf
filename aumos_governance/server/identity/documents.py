"""The files of documents: which file below the server's root folder belongs to the path that a client names.

Several paths may lead to one file over symbolic links. The ledger identifies a notebook by its file's path.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from jupyter_core.utils import ensure_async

from ...ledger.contract.facts import NotebookKey
from ...ledger.rules.files import file_of, is_folder, path_below

# The document of a remote session of https://github.com/microsoft/vscode-jupyter: the notebook's name and an id.
_VS_CODE: Final = re.compile(r"^(?P<stem>.+)-jvsc-[0-9a-fA-F-]+(?P<suffix>\.ipynb)$")


class Documents:
    """Finds the files of the documents of one contents manager.

    An API path is a path as clients of the contents manager use it, such as ``work/a.ipynb``. An entry is the path of a
    file relative to ``root``. The attribute ``root`` is the path of the manager's folder with symbolic links resolved,
    or the name of the manager's class if it stores nothing on disk; then an API path is its own entry.

    Every method may read the file system, so none may be called for each request of a kernel.
    """

    def __init__(self, contents_manager: Any, folder: str) -> None:
        self._contents = contents_manager
        self._on_disk = hasattr(contents_manager, "_get_os_path")
        self.folder = Path(folder).expanduser().absolute().as_posix()
        """The absolute path of the manager's folder as it is configured, without resolving symbolic links."""
        kind = type(contents_manager)
        self.root = _real(self.folder) if self._on_disk else f"contents:{kind.__module__}.{kind.__qualname__}"

    def locate(self, path: str) -> str:
        """Return the entry of the file that the document at an API path is stored in, with symbolic links resolved."""
        notebook = _VS_CODE.match(path)
        if notebook is not None:
            path = notebook["stem"] + notebook["suffix"]
        return path_below(self.root, _real(self._lexical(path))) if self._on_disk else path

    def entry(self, path: str) -> str:
        """Return the entry of the document at an API path, without resolving a symbolic link that the path ends with.

        This entry is what a rename or deletion of the document changes: the link, not the file that it points to.
        """
        if not self._on_disk:
            return path
        parent, name = os.path.split(self._lexical(path))
        return path_below(self.root, file_of(_real(parent), name))

    def absolute(self, entry: str) -> str | None:
        """Return the absolute path of an entry; None if the manager stores nothing on disk."""
        return file_of(self.root, entry) if self._on_disk else None

    def is_link(self, entry: str) -> bool:
        file = self.absolute(entry)
        return file is not None and Path(file).is_symlink()

    def is_there(self, entry: str) -> bool | None:
        """Whether a file or link with this entry exists; None if that is unknown, since nothing is stored on disk."""
        file = self.absolute(entry)
        return None if file is None else os.path.lexists(file)

    async def is_notebook(self, path: str) -> bool:
        """Whether a notebook exists at this API path."""
        if self._on_disk:
            return path.endswith(".ipynb") and self._is_file(path)
        try:
            model = await ensure_async(self._contents.get(path, content=False))
        except Exception:  # noqa: BLE001 - managers raise different errors for a document that does not exist
            return False
        return bool(model.get("type") == "notebook")

    def renamed(self, known: NotebookKey) -> NotebookKey | None:
        """Return the key that a notebook in the ledger should have today, or None if its key need not change.

        Older versions of this package recorded a notebook by the path of a symbolic link; its new key has the file's
        path. They also recorded the server's folder as the root of notebooks that are not stored on disk; the new key
        has the name of the manager's class as its root.
        """
        if not is_folder(known.root):
            return None
        file = file_of(known.root, known.path)
        if os.path.lexists(file):
            real = _real(file)
            if real == file:
                return None
            root = _real(known.root)
            return NotebookKey(known.owner, root, path_below(root, real))
        if not self._on_disk and known.root == self.folder and not known.path.startswith("kernel:"):
            return NotebookKey(known.owner, self.root, known.path)
        return None

    def _is_file(self, path: str) -> bool:
        return Path(self._lexical(path)).is_file()

    def _lexical(self, path: str) -> str:
        try:
            return Path(self._contents._get_os_path(path)).as_posix()
        except Exception:  # noqa: BLE001 - the manager refuses paths outside its root, which are not documents
            return f"{self.folder}/{path}"


def _real(path: str) -> str:
    return Path(os.path.realpath(path)).as_posix()
