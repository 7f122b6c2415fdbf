"""Text that would change the state of a terminal, or the order in which text is shown."""

from __future__ import annotations

CONTROLS = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;http://example.org\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[31mred",
    "\x9b31m",
    "\x90q\x9c",
    "back\x08\x08\x08space",
    "return\rover",
    "line\nfeed",
    "tab\tular",
    "delete\x7f",
    "form\x0cfeed\x0b\x85\u2028\u2029",
]


MARKS = [
    "\u202egnp.exe",
    "\u202dleft",
    "\u202aembed\u202c",
    "\u202bembed\u202c",
    "\u2066isolate\u2069",
    "\u2067isolate\u2069",
    "\u2068isolate\u2069",
    "\u200emark",
    "\u200fmark",
    "\u061cmark",
    "zero\u200bwidth\u200d\ufeff",
    "tags\U000e0041\U000e007f",
]
