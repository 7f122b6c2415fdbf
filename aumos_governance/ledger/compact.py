"""JSON in its one canonical form: no spaces, keys sorted, text as it is.

The same values always give the same text, so that the text can be hashed and compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json import encoder
from typing import Any

__all__ = ["dumps", "encoder_with"]


def encoder_with(default: Callable[[Any], Any] | None) -> Callable[[Any], str]:
    """A canonical encoder; ``default`` gives the JSON value of anything JSON does not know.

    ``JSONEncoder.encode`` sets up its C encoder anew at each call, which costs more than encoding one
    record; so one is set up here for good. Where the C encoder is missing, the plain way is taken.
    """
    plain = json.JSONEncoder(
        ensure_ascii=False,
        check_circular=False,
        allow_nan=False,
        sort_keys=True,
        separators=(",", ":"),
        default=default,
    )
    make = getattr(encoder, "c_make_encoder", None)
    quote = getattr(encoder, "c_encode_basestring", None)
    if make is None or quote is None:
        return plain.encode
    encode = make(None, plain.default, quote, None, ":", ",", True, False, False)
    join = "".join

    def dumps(value: Any) -> str:
        return join(encode(value, 0))

    return dumps


dumps = encoder_with(None)
