"""Where documents lie: what the contents manager calls by an API path, as a file under the server's root."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from jupyter_core.utils import ensure_async

from ...ledger.contract.facts import NotebookKey
from ...ledger.rules.files import file_of, is_folder, path_below

__all__ = ["Documents"]

# https://github.com/microsoft/vscode-jupyter names a remote session's document so: the notebook's name, and an id.
_VS_CODE: Final = re.compile(r"^(?P<stem>.+)-jvsc-[0-9a-fA-F-]+(?P<suffix>\.ipynb)$")


class Documents:
    """The documents of one contents manager. Every method may look at the file system, so none is for the hot path.

    ``root`` is the real path of its folder. Of a manager that keeps nothing on disk it is the manager's name.
    """

    def __init__(self, contents_manager: Any, folder: str) -> None:
        self._contents = contents_manager
        self._on_disk = hasattr(contents_manager, "_get_os_path")
        self.folder = Path(folder).expanduser().absolute().as_posix()
        """As it is configured, links and all."""
        kind = type(contents_manager)
        self.root = _real(self.folder) if self._on_disk else f"contents:{kind.__module__}.{kind.__qualname__}"

    def locate(self, path: str) -> str:
        """The path below `root` of the file that is the document at an API path: links are resolved."""
        notebook = _VS_CODE.match(path)
        if notebook is not None:
            path = notebook["stem"] + notebook["suffix"]
        return path_below(self.root, _real(self._lexical(path))) if self._on_disk else path

    def entry(self, path: str) -> str:
        """Like `locate`, for the entry itself that is renamed or deleted: where it is a link, it is not followed."""
        if not self._on_disk:
            return path
        parent, name = os.path.split(self._lexical(path))
        return path_below(self.root, file_of(_real(parent), name))

    def absolute(self, entry: str) -> str | None:
        """The absolute path of what `locate` or `entry` returned; None where nothing is on disk."""
        return file_of(self.root, entry) if self._on_disk else None

    def is_link(self, entry: str) -> bool:
        file = self.absolute(entry)
        return file is not None and Path(file).is_symlink()

    def is_there(self, entry: str) -> bool | None:
        """Whether the entry is in its folder; None where only the contents manager could say."""
        file = self.absolute(entry)
        return None if file is None else os.path.lexists(file)

    async def is_notebook(self, path: str) -> bool:
        """Whether there is a notebook at this API path."""
        if self._on_disk:
            return path.endswith(".ipynb") and self._is_file(path)
        try:
            model = await ensure_async(self._contents.get(path, content=False))
        except Exception:  # noqa: BLE001 - each manager raises what it likes for what is not there
            return False
        return bool(model.get("type") == "notebook")

    def renamed(self, known: NotebookKey) -> NotebookKey | None:
        """What a notebook that an older version named by a link is to be called; None where nothing changes.

        Notebooks of a manager that keeps nothing on disk were named by the server's folder.
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
        except Exception:  # noqa: BLE001 - it refuses paths that lead out of the root, which are no documents
            return f"{self.folder}/{path}"


def _real(path: str) -> str:
    return Path(os.path.realpath(path)).as_posix()
