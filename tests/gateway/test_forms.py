"""A form is forwarded unchanged, so a form that two parsers could read differently is refused."""

from __future__ import annotations

import pytest

from aumos_governance.gateway.contents import fields_of
from aumos_governance.gateway.refusals import RefusedError

TYPE = "multipart/form-data; boundary=B"


def form(*parts: tuple[str, str]) -> bytes:
    written = [f"--B\r\n{head}\r\n\r\n{value}\r\n" for head, value in parts]
    return ("".join(written) + "--B--\r\n").encode()


def field(name: str, value: str) -> tuple[str, str]:
    return f'Content-Disposition: form-data; name="{name}"', value


MODEL = field("model", "cheap")
FILE = ('Content-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png', "12345")


def test_fields_and_files_are_read() -> None:
    fields, files = fields_of(
        form(field("model", "gpt-image-1"), field("n", "2"), FILE, field("tags[]", "a"), field("tags[]", "b")), TYPE
    )
    assert fields == {"model": "gpt-image-1", "n": "2", "tags": ["a", "b"]}
    assert files == (5,)


def test_a_part_with_an_encoded_name_of_a_file_is_a_file() -> None:
    part = ("Content-Disposition: form-data; name=\"image\"; filename*=utf-8''a.png", "12345")
    assert fields_of(form(MODEL, part), TYPE) == ({"model": "cheap"}, (5,))


def test_true_and_false_are_flags() -> None:
    assert fields_of(form(field("stream", "true"), field("wait", "false")), TYPE)[0] == {"stream": True, "wait": False}


def test_a_value_may_hold_what_looks_like_a_line_of_the_form() -> None:
    assert fields_of(form(field("prompt", "a --B b --Bxyz")), TYPE)[0] == {"prompt": "a --B b --Bxyz"}


@pytest.mark.parametrize("quoted", ['multipart/form-data; boundary="B"', "Multipart/Form-Data;boundary=B"])
def test_the_boundary_may_be_written_in_these_ways(quoted: str) -> None:
    assert fields_of(form(field("n", "1")), quoted)[0] == {"n": "1"}


@pytest.mark.parametrize(
    "content",
    [
        form(MODEL, ('Content-Disposition: form-data; name="model"; filenamex=1', "dear")),
        form(MODEL, ('Content-Disposition: form-data; name="model"; x="; filename=y"', "dear")),
        form(MODEL, ('Content-Disposition: form-data; name="model"; filename="a"', "dear")),
        form(MODEL, ('Content-Disposition: form-data; name="model[]"; filename="a"', "dear")),
        form(MODEL, ("Content-Disposition: form-data; name=model", "dear")),
        form(MODEL, MODEL),
        form(MODEL, field("model[]", "dear")),
        form(field("model[]", "dear"), MODEL),
        form(('Content-Disposition: form-data; name="n"\r\nContent-Disposition: form-data; name="model"', "dear")),
        form(('Content-Disposition: form-data; name=n\r\nContent-Disposition: form-data; name="model"', "dear")),
        form(('Content-Disposition: form-data; name="n"\r\nContent-Transfer-Encoding: base64', "MTA=")),
        form(('Content-Disposition: form-data; name="mo\\"del"', "dear")),
        form(MODEL) + b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n9\r\n--B--\r\n',
        b"preamble\r\n" + form(MODEL),
        form(MODEL)[: -len("--B--\r\n")],
        b'--B\r\nContent-Disposition: form-data; name="n"\r\n--B--\r\n',
        form(("Content-Type: text/plain", "cheap")),
        form(MODEL).replace(b"\r\n", b"\n"),
        b'--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n\xff\r\n--B--\r\n',
        b"",
        form(MODEL).replace(b"--B--", b"--Bx--"),
        form(MODEL, field("n", "1")).replace(b'--B\r\nContent-Disposition: form-data; name="n"', b"--Bx\r\nx"),
        form(MODEL, field("n", "1")).replace(
            b'--B\r\nContent-Disposition: form-data; name="n', b'--BxyContent-Disposition: form-data; name="n'
        ),
        form(MODEL).replace(b"--B\r\n", b"--Bx\r\n", 1),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        fields_of(content, TYPE)
    assert refused.value.refusal.status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=A; boundary=B",
        "multipart/form-data; boundary=B; boundary=A",
        "multipart/form-data; boundary=B; charset=utf-16",
        'multipart/form-data; boundary="B',
        "multipart/form-data; boundary=",
    ],
)
def test_a_boundary_that_can_be_read_in_two_ways_is_refused(content_type: str) -> None:
    with pytest.raises(RefusedError):
        fields_of(form(MODEL), content_type)
