"""Makes a governed client look like the plain client, for code that inspects it, for example with `dir`.

Governed clients of OpenAI's library also refuse to open WebSockets, whose costs cannot be held.
"""

from __future__ import annotations

import sys
from typing import Any, Final, NoReturn

from ...errors import ConfigurationError

GOVERNOR: Final = "_aumos_governor"
"""The name of the attribute that keeps a governed client's governor, a `clients._Governor`."""
_OPENS_SOCKETS: Final = frozenset({"_prepare_url", "_configure_realtime"})
"""The functions of OpenAI's library that read ``websocket_base_url`` to open a WebSocket, in its resources and in
Azure's client. Other code that reads the attribute, such as `copy` or `inspect.getmembers`, opens none."""


def like_plain(kind: Any) -> Any:
    """Return a subclass of the client's class ``kind`` whose instances have the same `dir` as instances of ``kind``.

    They refuse to open WebSockets.
    """

    class Likeness(kind):  # type: ignore[misc]
        def __dir__(self) -> list[str]:
            plain = set(dir(plain_kind(type(self)))) | vars(self).keys()
            return [name for name in super().__dir__() if name in plain and name != GOVERNOR]

    return _without_sockets(Likeness) if _opens_sockets(kind) else Likeness


def plain_kind(governed: type[Any]) -> type[Any]:
    """Return the plain class that a governed client's class was made from."""
    ours = __name__.partition(".")[0]
    # The first class has been given the plain class's name and module; the classes after it are defined here.
    return next(base for base in governed.__mro__[1:] if base.__module__.partition(".")[0] != ours)


def _without_sockets(kind: Any) -> Any:
    class WithoutSockets(kind):  # type: ignore[misc]
        @property
        def websocket_base_url(self) -> Any:
            if GOVERNOR in vars(self) and sys._getframe(1).f_code.co_name in _OPENS_SOCKETS:
                _refuse_sockets()
            try:
                return vars(self)["websocket_base_url"]
            except KeyError:
                raise AttributeError(
                    f"{type(self).__name__!r} object has no attribute 'websocket_base_url'",
                    name="websocket_base_url",
                    obj=self,
                ) from None

        @websocket_base_url.setter
        def websocket_base_url(self, value: Any) -> None:
            self.__dict__["websocket_base_url"] = value

        if hasattr(kind, "_websocket_query_params"):
            # Newer versions of OpenAI's library call this for the address of each WebSocket, and for nothing else.
            def _websocket_query_params(self, *arguments: Any, **options: Any) -> Any:
                if GOVERNOR in vars(self):
                    _refuse_sockets()
                return super()._websocket_query_params(*arguments, **options)

    return WithoutSockets


def _opens_sockets(kind: Any) -> bool:
    return any(base.__module__.partition(".")[0] == "openai" for base in kind.__mro__)


def _refuse_sockets() -> NoReturn:
    # A session over a WebSocket is charged while it lasts, so there is no worst case to hold.
    raise ConfigurationError(
        "Sessions over a WebSocket (realtime, live) cannot be governed: use the client that you gave to govern(), and"
        " record what they cost with %governance_spend."
    )
