"""Decides whether `govern` accepts an object, and raises errors that name the object to pass instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any, Final

from ...errors import InvalidRequestError
from ..guarding.libraries import LIBRARIES, library_names

_HOLDS_CLIENTS: Final = ("client", "async_client", "root_client", "root_async_client", "_client", "_async_client")
"""The names of attributes that keep a client in instructor, LangChain and other wrappers."""
_WRAPPED: Final = {
    "instructor": "instructor.from_openai(govern(OpenAI()))",
    "langchain_anthropic": "model.invoke(..., config={'callbacks': [GovernedCalls()]}), which governs any model",
    "langchain_openai": "model.invoke(..., config={'callbacks': [GovernedCalls()]}), which governs any model",
    "pydantic_ai": "OpenAIProvider(openai_client=govern(AsyncOpenAI()))",
    "agents": "set_default_openai_client(govern(AsyncOpenAI()))",
}
"""Example code for error messages that governs the calls of a wrapper, by the wrapper's package."""


def library_of(client: object) -> str | None:
    """Return the name of the library, such as ``openai``, whose client an object is; None for any other object.

    Only the libraries in `LIBRARIES` are recognized.
    """
    for base in type(client).__mro__:
        library = base.__module__.partition(".")[0]
        if library in LIBRARIES and base.__name__ in ("SyncAPIClient", "AsyncAPIClient"):
            return library
    return None


def client_of(given: object) -> Any:
    """Return the client to govern: ``given`` itself, or the client that the functions of the module ``openai`` use.

    Raises InvalidRequestError for any other object; its message names the object to pass instead.
    """
    if library_of(given) is not None:
        return given
    if isinstance(given, ModuleType):
        load = getattr(given, "_load_client", None) if given.__name__ in LIBRARIES else None
        if callable(load):
            return load()
        if given.__name__ in LIBRARIES:
            raise InvalidRequestError(
                f"The module {given.__name__} has no client of its own: create a client and govern it, as in"
                f" govern({given.__name__}.{given.__name__.capitalize()}())."
            )
    if isinstance(given, type) and any(base.__name__.endswith("APIClient") for base in given.__mro__):
        raise InvalidRequestError(
            f"govern() takes a client of {library_names()} library, not its class: govern({given.__name__}())."
        )
    package = type(given).__module__.partition(".")[0]
    if any(library_of(inner) is not None for inner in _inner_objects(given)):
        how = _WRAPPED.get(package, "Wrapper(govern(OpenAI()))")
        if package in LIBRARIES:
            raise InvalidRequestError(
                f"govern() takes the whole client, not its {type(given).__name__}: govern(client), then use that part"
                " of what it returns."
            )
        raise InvalidRequestError(
            f"govern() takes a client of {library_names()} library, and this {package}.{type(given).__name__}"
            f" wraps one: govern the client first, then wrap what govern() returns, as in {how}."
        )
    if type(given).__module__.startswith("google.genai"):
        raise InvalidRequestError(
            f"govern() takes a client of {library_names()} library, and not Google's: the gateway governs its calls,"
            " with no change to the program, once the server's administrator has configured Google as a provider."
        )
    raise InvalidRequestError(
        f"govern() takes a client of {library_names()} library, but this is a value of type {type(given).__name__}."
    )


def _inner_objects(given: object) -> Iterator[object]:
    """Yield the objects in an object's attributes, and those in their attributes, to find a client that it wraps."""
    for each in _attributes(given):
        yield each
        if library_of(each) is None:
            yield from _attributes(each)


def _attributes(given: object) -> Iterator[object]:
    # A property may raise any exception.
    with suppress(Exception):
        yield from list(vars(given).values())
    for name in _HOLDS_CLIENTS:
        with suppress(Exception):
            yield getattr(given, name, None)
