"""A Sphinx extension that generates the reference from docstrings, the OpenAPI document, traits, magics and commands.

Each build writes the pages into `docs/reference/`. They are never committed, so that none can be out of date.
"""

from __future__ import annotations

import argparse
import inspect
import os
import re
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "aumos_governance"


def sdk() -> Iterable[str]:
    """Yield the parts of the page of the Python interface: the public names in alphabetical order."""
    package = import_module("aumos_governance")
    yield "# The Python interface"
    yield "Import all names from `aumos_governance`. [The engine, from Python](../sdk.md) shows how they are used."
    for name in sorted(package.__all__):
        thing = getattr(package, name)
        if name == "__version__" or not (inspect.isclass(thing) or inspect.isroutine(thing)):
            continue
        kind = "autoexception" if _is_error(thing) else "autoclass" if inspect.isclass(thing) else "autofunction"
        yield f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: aumos_governance.{name}\n```"


def _is_error(thing: object) -> bool:
    return inspect.isclass(thing) and issubclass(thing, BaseException)


def rest() -> Iterable[str]:
    """Yield the parts of the page of the REST endpoints, with the bodies of their requests and responses."""
    document = yaml.safe_load((PACKAGE / "server" / "openapi.yaml").read_text("utf-8"))
    yield "# The REST endpoints"
    base = document["servers"][0]["url"].strip("/")
    yield f"All endpoints are below `<server>/{base}`. [The REST interface](../rest.md) shows how they are used."
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            yield f"## `{method.upper()} {path}`"
            yield f"{operation['summary']}."
            if "description" in operation:
                yield operation["description"]
            parameters = [_resolved(document, parameter) for parameter in (*shared, *operation.get("parameters", []))]
            if parameters:
                yield _table(
                    ("parameter", "in", "what it is"),
                    ((f"`{each['name']}`", each["in"], each.get("description", "")) for each in parameters),
                )
            body = operation.get("requestBody")
            if body:
                yield f"Body: {_content(_resolved(document, body))}."
            yield _table(
                ("status", "response"),
                ((f"`{status}`", _response(document, response)) for status, response in operation["responses"].items()),
            )
    yield "## Bodies"
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name}"
        if "description" in schema:
            yield schema["description"]
        if "properties" in schema:
            needed = set(schema.get("required", ()))
            yield _table(
                ("field", "type", "what it is"),
                (
                    (f"`{field}`{'' if field in needed else ' (optional)'}", _type(each), each.get("description", ""))
                    for field, each in schema["properties"].items()
                ),
            )


def _resolved(document: Any, thing: Any) -> Any:
    while "$ref" in thing:
        found = document
        for part in thing["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        thing = found
    return thing


def _content(thing: Any) -> str:
    kinds = thing.get("content", {})
    return ", ".join(f"{_type(each.get('schema', {}))} as `{kind}`" for kind, each in kinds.items()) or "none"


def _response(document: Any, response: Any) -> str:
    found = _resolved(document, response)
    return f"{found.get('description', '')} {'' if 'content' not in found else '(' + _content(found) + ')'}"


def _type(schema: Any) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several, word in (("oneOf", " or "), ("anyOf", " or "), ("allOf", " with ")):
        if several in schema:
            return word.join(_type(each) for each in schema[several])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    kinds = kind if isinstance(kind, list) else [kind]
    if "array" in kinds:
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join(kinds)


def settings() -> Iterable[str]:
    """Yield the parts of the page of the server's settings: its traits with their help."""
    from aumos_governance.server.extension import GovernanceExtension

    yield "# The server's settings"
    yield (
        "Each is set in `jupyter_server_config.py` as `c.GovernanceExtension.<name> = ...`, or on the command line."
        " [Configuration](../configuration.md) explains how they work together."
    )
    for name, trait in sorted(GovernanceExtension.class_own_traits(config=True).items()):
        yield f"## {name}"
        if trait.default_value not in ("", None):
            yield f"Default: `{trait.default_value!r}`"
        yield inspect.cleandoc(trait.help)


def magics() -> Iterable[str]:
    """Yield the parts of the page of the magics, with the text that `%name?` shows."""
    from aumos_governance.kernel.magics.magics import GovernanceMagics

    yield "# The magics"
    yield "`%load_ext aumos_governance.jupyter_extension` loads them. `%governance?` in a cell shows the same text."
    found = GovernanceMagics.magics
    methods = {**found["cell"], **found["line"]}
    for name, method in sorted(methods.items()):
        sign = "%" if name in found["line"] else "%%"
        yield f"## `{sign}{name}`"
        text = inspect.getdoc(getattr(GovernanceMagics, method if isinstance(method, str) else name)) or ""
        yield f"```text\n{text}\n```"


def command_line() -> Iterable[str]:
    """Yield the parts of the page of the commands, with their help."""
    from aumos_governance.cli.options import parser

    # argparse wraps the help at the width of the terminal in which the documentation is built.
    os.environ["COLUMNS"] = "80"
    yield "# The commands"
    yield "[The command line](../cli.md) shows what they are used for."
    yield from _commands(parser())


def _commands(parser: argparse.ArgumentParser) -> Iterable[str]:
    yield f"## `{parser.prog}`\n\n```text\n{parser.format_help()}```"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _commands(each)


def of_the_repository(name: str) -> Callable[[], Iterable[str]]:
    """Return the function that makes a page of a file in the repository's root, with its links changed to fit."""

    def page() -> Iterable[str]:
        source = re.search(r'(?m)^Source = "(.*)"$', (ROOT / "pyproject.toml").read_text("utf-8"))
        assert source is not None

        def leads(link: re.Match[str]) -> str:
            path = link[1]
            return f"](../{path[5:]})" if path.startswith("docs/") else f"]({source[1]}/blob/main/{path})"

        yield re.sub(r"\]\((?!https?:|#)([^)]+)\)", leads, (ROOT / name).read_text("utf-8"))

    return page


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in row) + " |" for row in lines
    )


PAGES: dict[str, Callable[[], Iterable[str]]] = {
    "python": sdk,
    "rest": rest,
    "settings": settings,
    "magics": magics,
    "commands": command_line,
    "changelog": of_the_repository("CHANGELOG.md"),
    "contributing": of_the_repository("CONTRIBUTING.md"),
}


def write(app: Sphinx) -> None:
    """Write the pages whose text has changed, so that a build reads only those again."""
    folder = Path(app.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        text = "\n\n".join(page()) + "\n"
        file = folder / f"{name}.md"
        if not file.exists() or file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; Sphinx calls this."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
