"""Vectors of real Kura code, which both codecs of ours agree with, both ways; rights that Kapua's builder gives."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from fleetrig.reference_server.platforms.kura.broker.access_rules import BrokerRights, rules_of
from tests.golden.kura_player.codecs import FLOW, SERVER, Codec, json_content, json_text
from tests.golden.kura_player.contents import Differs, compare, content_of_fields
from tests.golden.kura_player.recording import FOLDER, PayloadVector, read_lines, read_vectors, vector_of

PAYLOADS = read_vectors("payloads")
JSON_PAYLOADS = read_vectors("json-payloads")
RIGHTS = read_lines(FOLDER / "kapua-acl.jsonl")
CODECS = pytest.mark.parametrize("codec", [SERVER, FLOW], ids=lambda codec: codec.name)
NO_SUCH_TYPE = "UNSUPPORTED"
"""A value that no metric of ours can be given."""
WITHIN_BYTES = 3
"""Compressors differ so much: whether it pays is not judged so close to the limit."""
USERS = {
    "plain device user (broker connect only)": BrokerRights(),
    "with device management permission": BrokerRights(manages_devices=True),
    "with data management permission": BrokerRights(manages_data=True),
    "with data view permission": BrokerRights(views_data=True),
    "administrator": BrokerRights(is_admin=True),
}


def of_kind(kind: str, vectors: list[PayloadVector]) -> pytest.MarkDecorator:
    found = [vector for vector in vectors if vector.kind == kind]
    assert found
    return pytest.mark.parametrize("vector", found, ids=lambda vector: vector.name)


def encoded_content(vector: PayloadVector) -> Any:
    """What is encoded: a metric without a value is none."""
    fields = dict(vector.line["fields"])
    if "metrics" in fields:
        fields["metrics"] = [metric for metric in fields["metrics"] if metric["value"] is not None]
    return content_of_fields(fields)


# -- Protobuf


@CODECS
@of_kind("encode", PAYLOADS)
def test_what_is_written(codec: Codec, vector: PayloadVector) -> None:
    content = encoded_content(vector)
    if vector.is_refused:
        if any(kind == NO_SUCH_TYPE for kind, _ in content["metrics"].values()):
            return  # neither codec has a type for it
        with pytest.raises(ValueError, match="position"):
            codec.encode(content)
    else:
        assert codec.encode(content).hex() == vector.line["hex"]


@CODECS
@of_kind("encode", PAYLOADS)
def test_what_was_written_is_read(codec: Codec, vector: PayloadVector) -> None:
    if not vector.is_refused:
        expected = content_of_fields(vector.line.get("decoded", vector.line["fields"]))
        compare(expected, codec.decode(vector.data), vector.name)


@CODECS
@of_kind("decode", PAYLOADS)
def test_what_is_read(codec: Codec, vector: PayloadVector) -> None:
    fields = vector.line["as_received"] if vector.is_refused else vector.line["fields"]
    compare(content_of_fields(fields), codec.decode(vector.data), vector.name)


@CODECS
@of_kind("gzip-rule", PAYLOADS)
def test_what_is_compressed(codec: Codec, vector: PayloadVector) -> None:
    plain = plain_of(vector)
    assert len(plain) == vector.line["plain_length"]
    sent = codec.packed(plain)
    assert abs(len(sent) - vector.line["sent_length"]) <= WITHIN_BYTES
    if not is_close(plain):
        assert (sent != plain) is vector.line["gzip"]
    assert (gzip.decompress(sent) if sent != plain else sent) == plain


def is_close(plain: bytes) -> bool:
    return abs(len(gzip.compress(plain)) - len(plain)) <= WITHIN_BYTES


def plain_of(vector: PayloadVector) -> bytes:
    """Long ones are told by their names only."""
    if vector.line["plain_hex"] is not None:
        return bytes.fromhex(vector.line["plain_hex"])
    count, what = vector.name.split(" ", 1)
    if what == "equal characters":
        return FLOW.encode({"metrics": {"s": ["STRING", "x" * int(count)]}})
    assert what == "random bytes", vector.name
    noise = b"".join(bytes([(one * one * 31 + one * 7 ^ one >> 3) & 255]) for one in range(251))
    body = bytes(noise[(at * at * 17 + at * 3) % len(noise)] ^ (at * 97 >> 2) & 255 for at in range(int(count)))
    return FLOW.encode({"metrics": {}, "body": body.hex()})


@pytest.mark.parametrize(
    ("bytes_of_name", "wrong_letters"),
    [
        (b"\xed\xa0\x80", 1),
        (b"x\xed\xa0\xbd\xed\xb8\x80y", 2),
        (b"\xed\xa0", 1),
        (b"\xe2\x82", 1),
        (b"a\xc0\x80b", 2),
        (b"\xf0\x80\x80\x80", 4),
    ],
)
def test_both_read_the_same_in_bytes_that_are_no_text(bytes_of_name: bytes, wrong_letters: int) -> None:
    """As many wrong letters as Java has there."""
    metric = bytes([10, len(bytes_of_name)]) + bytes_of_name + b"\x10\x03\x30\x01"
    data = b"\xc2\xb8\x02" + bytes([len(metric)]) + metric
    assert SERVER.decode(data) == FLOW.decode(data)
    (name,) = SERVER.decode(data)["metrics"]
    assert name.count("\ufffd") == wrong_letters


# -- JSON: the gateway's alone


@of_kind("json-decode", JSON_PAYLOADS)
def test_what_is_read_in_json(vector: PayloadVector) -> None:
    got = json_content(vector.line["text"])
    if vector.is_refused:
        assert got is None
    else:
        assert got is not None
        compare(content_of_fields(vector.line["fields"]), got, vector.name)


@of_kind("json-encode", JSON_PAYLOADS)
def test_what_is_written_in_json(vector: PayloadVector) -> None:
    assert json_text(content_of_fields(vector.line["fields"])) == vector.line["text"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"sentOn":1.0}', "body"),
        ('{"sentOn":null,"Body":7}', {}),
        ('{"body":"AQI"}', {"body": "0102"}),
        ('{"body":"AQ="}', "body"),
        ('{"metrics":{"a":1},"METRICS":{"b":2}}', {"a": 1, "b": 2}),
        ('{"position":{"satellites":2147483648}}', "body"),
        ('{"position":3}', "body"),
        ('{"metrics":{"a":NaN}}', None),
        ("\ufeff{}", None),
    ],
)
def test_json_at_its_edges(text: str, what: Any) -> None:
    """As real code was seen to read it, beside the recorded vectors."""
    got = json_content(text)
    match what:
        case None:
            assert got is None
        case "body":
            assert got == {"metrics": {}, "body": text.encode().hex()}
        case {"body": _}:
            assert got == {"metrics": {}} | what
        case _:
            assert got == {"metrics": {name: ["INT64", value] for name, value in what.items()}}


# -- Rights


@pytest.mark.parametrize("line", RIGHTS, ids=lambda line: line["name"])
def test_the_rights_that_a_user_has(line: dict[str, Any]) -> None:
    rules = rules_of(USERS[line["name"]], line["account"], line["client_id"])
    assert [rights_of(rule) for rule in rules] == [tuple(sorted(right.items())) for right in line["acl"]]


def rights_of(rule: Any) -> tuple[tuple[str, Any], ...]:
    rights = {
        "read": rule.may_read, "write": rule.may_write, "create": rule.may_create, "topic": rule.topic_filter
    }  # fmt: skip
    return tuple(sorted(rights.items()))


# -- Damaged copies


@CODECS
@pytest.mark.parametrize("number", range(len(PAYLOADS)))
def test_a_damaged_vector_is_refused(codec: Codec, number: int) -> None:
    """Each leaf of what is expected in turn."""
    vector = PAYLOADS[number]
    copies = list(damaged(vector))
    assert copies or vector.is_refused
    for copy in copies:
        with pytest.raises((AssertionError, Differs, TypeError, ValueError)):
            judge(codec, copy)


def judge(codec: Codec, vector: PayloadVector) -> None:
    match vector.kind:
        case "encode":
            test_what_is_written(codec, vector)
            test_what_was_written_is_read(codec, vector)
        case "decode":
            test_what_is_read(codec, vector)
        case "gzip-rule":
            test_what_is_compressed(codec, vector)


def damaged(vector: PayloadVector) -> Any:
    line = dict(vector.line)
    match vector.kind:
        case "gzip-rule":
            if not is_close(plain_of(vector)):
                yield vector_of({**line, "gzip": not line["gzip"]})
            yield vector_of({**line, "sent_length": line["sent_length"] + WITHIN_BYTES + 1})
        case "decode" if vector.is_refused:
            yield vector_of({**line, "as_received": {}} if line["as_received"] else line)
        case _ if not vector.is_refused:
            key = "decoded" if "decoded" in line else "fields"
            for fields in damaged_fields(line[key]):
                yield vector_of({**line, key: fields})


def damaged_fields(fields: dict[str, Any]) -> Any:
    yield {**fields, "body_hex": fields.get("body_hex", "") + "00"}
    yield {**fields, "timestamp": fields.get("timestamp", 0) + 1}
    for at, metric in enumerate(fields.get("metrics", ())):
        other = {**metric, "name": metric["name"] + "x"}
        yield {**fields, "metrics": [*fields["metrics"][:at], other, *fields["metrics"][at + 1 :]]}
        yield {**fields, "metrics": [*fields["metrics"][:at], *fields["metrics"][at + 1 :]]}
        changed = {**metric, "type": "STRING" if metric["type"] == "BOOL" else "BOOL"}
        yield {**fields, "metrics": [*fields["metrics"][:at], changed, *fields["metrics"][at + 1 :]]}
    for name, value in fields.get("position", {}).items():
        yield {**fields, "position": {**fields["position"], name: value + 1}}


def test_a_vector_with_a_word_that_nobody_knows_is_refused() -> None:
    line = json.loads((FOLDER / "payloads.jsonl").read_text(encoding="utf-8").splitlines()[1])
    with pytest.raises(AssertionError, match="encode with"):
        vector_of({**line, "feilds": {}})
    with pytest.raises(AssertionError, match="unknown kind"):
        vector_of({**line, "kind": "encoed"})
