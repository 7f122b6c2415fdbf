"""Documents of the contents manager: the file under the server's root that an API path leads to."""

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
    """The documents of one contents manager, and their files.

    ``root`` is the real path of the manager's folder, or the name of its class if it stores nothing on disk. Every
    method may read the file system, so none may be called for each request of a kernel.
    """

    def __init__(self, contents_manager: Any, folder: str) -> None:
        self._contents = contents_manager
        self._on_disk = hasattr(contents_manager, "_get_os_path")
        self.folder = Path(folder).expanduser().absolute().as_posix()
        """The folder as it is configured, with links not resolved."""
        kind = type(contents_manager)
        self.root = _real(self.folder) if self._on_disk else f"contents:{kind.__module__}.{kind.__qualname__}"

    def locate(self, path: str) -> str:
        """Return the path, below `root`, of the file of the document at an API path, with links resolved."""
        notebook = _VS_CODE.match(path)
        if notebook is not None:
            path = notebook["stem"] + notebook["suffix"]
        return path_below(self.root, _real(self._lexical(path))) if self._on_disk else path

    def entry(self, path: str) -> str:
        """Return what `locate` returns, except that a link at the end of the path is not resolved.

        A rename or deletion changes the link, and not the file that it points to.
        """
        if not self._on_disk:
            return path
        parent, name = os.path.split(self._lexical(path))
        return path_below(self.root, file_of(_real(parent), name))

    def absolute(self, entry: str) -> str | None:
        """Return the absolute path of an ``entry`` from `locate` or `entry`; None if the manager has no files."""
        return file_of(self.root, entry) if self._on_disk else None

    def is_link(self, entry: str) -> bool:
        file = self.absolute(entry)
        return file is not None and Path(file).is_symlink()

    def is_there(self, entry: str) -> bool | None:
        """Whether the entry exists; None if the manager has no files, since only the manager knows then."""
        file = self.absolute(entry)
        return None if file is None else os.path.lexists(file)

    async def is_notebook(self, path: str) -> bool:
        """Whether this API path is an existing notebook."""
        if self._on_disk:
            return path.endswith(".ipynb") and self._is_file(path)
        try:
            model = await ensure_async(self._contents.get(path, content=False))
        except Exception:  # noqa: BLE001 - managers raise different errors for a document that does not exist
            return False
        return bool(model.get("type") == "notebook")

    def renamed(self, known: NotebookKey) -> NotebookKey | None:
        """Return the new key of a notebook that an older version recorded by a link's path; None if it keeps its key.

        Older versions also recorded the notebooks of a manager that has no files under the server's folder; these get
        the manager's name as their root.
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
