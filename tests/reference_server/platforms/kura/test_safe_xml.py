"""XML of strangers: what is read, and what is not."""

from __future__ import annotations

import pytest

from fleetrig.reference_server.platforms.kura.safe_xml import (
    MOST_ELEMENTS,
    BadXml,
    read_xml,
    written_attribute,
    written_text,
)

BOMB = b'<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">]><a>&lol2;</a>'


def test_names_namespaces_attributes_and_text() -> None:
    root = read_xml(b'<e:a xmlns:e="urn:x" xmlns="urn:y"><b e:c="1" d="2"> t<![CDATA[<]]>&amp; </b><e:b/></e:a>')

    assert (root.name, root.namespace) == ("a", "urn:x")
    (plain, other) = root.children
    assert (plain.name, plain.namespace, plain.attributes, plain.text) == ("b", "urn:y", {"c": "1", "d": "2"}, " t<& ")
    assert (other.namespace, len(root.all("b")), root.child_text("b"), root.child("z")) == ("urn:x", 2, "t<&", None)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"x", b"<a>", b"<a></b>", b"<a/><b/>", BOMB, b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&b;</a>",
        b"\xff\xfe<a/>", b"<a>\x00</a>", b"<a b='1' b='2'/>", b"<x:a/>", b"<?xml version='1.0' encoding='no'?><a/>",
        b"<a>" * 60 + b"</a>" * 60,
    ],
)  # fmt: skip
def test_what_is_not_read(data: bytes) -> None:
    with pytest.raises(BadXml):
        read_xml(data)


def test_too_many_elements() -> None:
    with pytest.raises(BadXml, match="50,000 elements"):
        read_xml(b"<a>" + b"<b/>" * MOST_ELEMENTS.most + b"</a>")


@pytest.mark.parametrize("text", ["<&>\"'", "\x00\x1f\x0b", "\ud800", "\ufffe", "ä\n\t"])
def test_what_is_written_is_read(text: str) -> None:
    root = read_xml(f"<a b={written_attribute(text)}>{written_text(text)}</a>".encode())

    expected = "".join("\ufffd" if one in "\x00\x1f\x0b\ud800\ufffe" else one for one in text)
    assert root.text == expected
    assert " ".join(root.attributes["b"].split()) == " ".join(expected.split())
