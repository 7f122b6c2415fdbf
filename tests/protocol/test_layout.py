from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.protocol.layout import SAMPLES, laid_out

FILES = sorted(SAMPLES.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_samples_are_laid_out_to_be_read(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text == laid_out(json.loads(text)), "python -m tests.protocol.layout lays them out"


def test_what_is_short_stands_on_one_line_and_what_is_long_on_several() -> None:
    samples = {"long": {"text": "x" * 90, "number": 1.5, "cell": {"id": None}, "list": ["y" * 90]}, "none": []}
    assert laid_out(samples).splitlines() == [
        "{",
        '  "long": {',
        f'    "text": "{"x" * 90}", "number": 1.5,',
        '    "cell": {"id": null},',
        f'    "list": ["{"y" * 90}"]',
        "  },",
        '  "none": []',
        "}",
    ]
