"""Uploads: the same form in one piece, in a file and in hostile shapes."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.multipart import BadMultipart, Upload
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import BodyPart, FileSlice, Repeated

TYPE = "multipart/form-data; boundary=edge"


def part(name: str, data: bytes, filename: str | None = None) -> bytes:
    extra = "" if filename is None else f'; filename="{filename}"'
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode() + data + b"\r\n"


def read(body, content_type: str = TYPE) -> tuple[bytes, Upload]:
    upload = Upload(body, content_type, "file")
    return body_bytes(tuple(upload.file_blocks())), upload


def test_fields_before_and_after_the_file():
    body = (
        part("md5sum", b"abc")
        + part("file", b"\x00\r\n--edg\r\n\xff", "fw.bin")
        + part("filename", b"other.bin")
        + b"--edge--\r\n"
    )
    data, upload = read(body)
    assert data == b"\x00\r\n--edg\r\n\xff"
    assert upload.filename == "fw.bin"
    assert upload.fields == {"md5sum": "abc", "filename": "other.bin"}


def test_a_spooled_body_comes_in_blocks(tmp_path):
    content = bytes(range(256)) * 2048
    body = part("file", content, "big.bin") + b"--edge--"
    file = tmp_path / "spool"
    file.write_bytes(b"junk" + body)
    upload = Upload(FileSlice(str(file), 4, len(body)), TYPE, "file")
    blocks = list(upload.file_blocks())
    assert len(blocks) > 1
    assert body_bytes(tuple(blocks)) == content


def made(block: bytes, length_bytes: int) -> tuple[BodyPart, ...]:
    head = part("md5sum", b"abc") + part("file", b"", "big.bin")[:-2]
    return head, Repeated(block, 0, length_bytes), b"\r\n" + part("filename", b"o") + b"--edge--"


def test_an_image_that_is_made_as_it_is_read_stays_so():
    upload = Upload(made(b"abc", 2**40), TYPE, "file")
    assert list(upload.file_blocks()) == [Repeated(b"abc", 0, 2**40)]
    assert (upload.filename, upload.fields) == ("big.bin", {"md5sum": "abc", "filename": "o"})


@pytest.mark.parametrize("block", [b"\r\n--edge", b"edge\r\n--"], ids=["whole", "across two turns"])
def test_a_boundary_within_such_an_image_is_found(block: bytes):
    for body in (made(block, 1_000), body_bytes(made(block, 1_000))):
        with pytest.raises(BadMultipart):
            read(body)


def test_what_is_made_between_other_bytes_of_a_file_is_read():
    body = (part("file", b"before", "f")[:-2], Repeated(b"abc", 0, 7), b"after\r\n--edge--")
    assert read(body)[0] == b"beforeabcabcaafter"


def test_an_empty_file_is_a_file():
    data, upload = read(part("file", b"", "c.bin") + b"--edge--")
    assert (data, upload.has_file, upload.filename) == (b"", True, "c.bin")


def test_a_name_in_utf8():
    assert read(part("file", b"x", "größe.bin") + b"--edge--")[1].filename == "größe.bin"


def test_no_file_part():
    assert not read(part("other", b"x") + b"--edge--")[1].has_file


@pytest.mark.parametrize("body", [b"", b"no boundary at all", part("file", b"a field") + b"--edge--"])
def test_without_a_boundary_or_a_file_name_there_is_no_file(body):
    data, upload = read(body)
    assert (data, upload.has_file) == (b"", False)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b'filename="C:\\dir\\fw.bin"', "C:\\dir\\fw.bin"),
        (b'filename="a\\"b\\\\c"', 'a"b\\c'),
        (b"filename=plain.bin", "plain.bin"),
        (b"filename=\"x.bin\"; filename*=UTF-8''%C3%BD.bin", "ý.bin"),
    ],
)
def test_file_names(disposition, name):
    opening = b'--edge\r\nContent-Disposition: form-data; name="file"; ' + disposition + b"\r\n\r\nx\r\n"
    assert read(opening + b"--edge--")[1].filename == name


def test_what_stands_before_the_first_boundary_and_after_the_last_is_not_looked_at():
    data, upload = read(b"preamble\r\n" + part("file", b"x", "fw.bin") + b"--edge--\r\nepilogue")
    assert (data, upload.filename) == (b"x", "fw.bin")


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=edge",
        "multipart/form-data; boundary=" + "x" * 300,
    ],
)
def test_another_content_type_is_refused(content_type):
    with pytest.raises(BadMultipart):
        Upload(b"", content_type, "file")


@pytest.mark.parametrize(
    "body",
    [
        part("file", b"cut", "fw.bin"),
        part("file", b"cut", "fw.bin")[:40],
        b"--edge\r\nbad header\x00: x\r\n\r\n",
        part("zz", b"x" * (2 * 1024 * 1024 - 3)) + b"--edge--",
        part("a", b"x" * 1024 * 1024) + part("b", b"x" * 1024 * 1024) + b"--edge--",
        part("file", b"x", "fw.bin") + b"".join(part(f"field{n}", b"x") for n in range(50)) + b"--edge--",
        part("same", b"x") * 51 + b"--edge--",
        b"--edge\r\nX: " + b"a" * 506 + b"\r\n\r\nx\r\n--edge--",
        b"--edge\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(50)) + b"\r\n",
    ],
)
def test_a_malformed_or_oversized_form_is_refused(body):
    with pytest.raises(BadMultipart):
        read(body)


def test_what_is_just_not_too_much():
    body = (
        part("file", b"x", "fw.bin")
        + part("zz", b"x" * (2 * 1024 * 1024 - 4 - 48 * 3))
        + part("", b"x") * 48
        + b"--edge--"
    )
    assert read(body)[0] == b"x"
    assert read(b"--edge\r\nX: " + b"a" * 505 + b"\r\n\r\nx\r\n--edge--")[1].fields == {"": "x"}
