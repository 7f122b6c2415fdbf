"""The function behind ``POST examples/{id}``, which copies an example notebook of the package into a user's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from jupyter_core.paths import jupyter_path
from jupyter_core.utils import ensure_async
from tornado import web

from ...errors import InvalidRequestError, NotFoundError
from .context import Context
from .route import Body, Request

EXAMPLES: Final = ("governed-notebook", "governed-calls")
_CHECKOUT: Final = Path(__file__).parents[3] / "examples"
_NAMES: Final = 100


def example(context: Context, request: Request[None]) -> Body:
    folder = request.body.get("folder", "")
    if not isinstance(folder, str):
        raise InvalidRequestError(
            "The field folder must be text, the path of a folder below the server's root folder; empty text is the root"
            " folder."
        )
    return {"path": context.on_loop(copy_example(context.contents, request.id, folder.strip("/")))}


def find_example(name: str) -> Path:
    """Return the file of the example notebook with this name.

    It is in the folder ``examples`` of a checkout, or else in Jupyter's data folders, where the package installs it.
    Raises NotFoundError if there is no such example.
    """
    folders = [_CHECKOUT, *(Path(folder) for folder in jupyter_path("aumos-governance", "examples"))]
    files = (folder / f"{name}.ipynb" for folder in folders)
    found = next((file for file in files if file.is_file()), None) if name in EXAMPLES else None
    if found is None:
        raise NotFoundError(f"There is no example {name[:40]!r}; the examples are {', '.join(EXAMPLES)}.")
    return found


async def copy_example(contents: Any, name: str, folder: str) -> str:
    """Copy an example notebook into a folder of the user, and return the path of the copy.

    ``contents`` is the server's contents manager. No file is overwritten: the copy is first made under a new name, and
    a rename to an existing name fails. Raises NotFoundError if there is no such example, and the manager's errors if
    the folder cannot be written to.
    """
    notebook = json.loads(find_example(name).read_text("utf-8"))
    model = await ensure_async(contents.new_untitled(path=folder, type="notebook"))
    path = str(model["path"])
    await ensure_async(contents.save({"type": "notebook", "format": "json", "content": notebook}, path))
    for number in range(_NAMES):
        wanted = f"{folder}/{name}{f'-{number}' if number else ''}.ipynb".lstrip("/")
        try:
            await ensure_async(contents.rename(path, wanted))
        except web.HTTPError as error:
            if error.status_code != 409:
                raise
        else:
            return wanted
    return path
