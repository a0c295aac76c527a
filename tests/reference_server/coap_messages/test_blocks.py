"""Bodies in blocks, both ways (RFC 7959), and what is wrong with them."""

from __future__ import annotations

import tracemalloc
from typing import Any

import aiocoap  # type: ignore[import-untyped]
import pytest

from fleetrig.reference_server.coap_rules import CoapRules
from tests.coap.bench import ACK, GET, POST, MessageBench, con, message
from tests.coap.echo_platform import pattern


@pytest.fixture
def bench() -> MessageBench:
    return MessageBench(CoapRules(body_bytes=4_096))


def block1(n: int, body: bytes, exponent: int, message_id: int, uri: str = "echo", **fields: Any) -> bytes:
    size = 16 << exponent
    payload, has_more = body[n * size : (n + 1) * size], (n + 1) * size < len(body)
    return con(uri, message_id, POST, payload=payload, block1=(n, has_more, exponent), **fields)


def upload(bench: MessageBench, body: bytes, exponent: int) -> aiocoap.Message:
    """The answer to the last block; those before are answered by 2.31."""
    last = (len(body) - 1) >> (exponent + 4)
    for n in range(last):
        answer = bench.read(block1(n, body, exponent, 100 + n))
        assert (answer.mtype, answer.code.dotted, tuple(answer.opt.block1)) == (ACK, "2.31", (n, True, exponent))
    return bench.read(block1(last, body, exponent, 100 + last))


def download(bench: MessageBench, uri: str, exponent: int, begin: int = 0) -> tuple[bytes, list[aiocoap.Message]]:
    body, answers, n = b"", [], begin
    while True:
        answers.append(bench.read(con(uri, 1_000 + n, token=b"%d" % n, block2=(n, False, exponent))))
        body += answers[-1].payload
        if answers[-1].opt.block2 is None or not answers[-1].opt.block2.more:
            return body, answers
        assert len(answers[-1].payload) == 16 << exponent
        n += 1


@pytest.mark.parametrize("exponent", range(7))
def test_a_request_in_blocks_is_told_once_and_whole(bench: MessageBench, exponent: int) -> None:
    body = pattern(1_500)
    answer = upload(bench, body, exponent)
    assert (answer.code.dotted, answer.opt.block1.block_number) == ("2.04", 1_499 >> (exponent + 4))
    assert not answer.opt.block1.more
    assert bench.platform.heard == ["POST coap:/echo"]
    rest = b"" if answer.opt.block2 is None else download_rest(bench, answer)
    assert answer.payload + rest == body
    assert bench.layer.uploads.total_bytes == 0


def download_rest(bench: MessageBench, first: aiocoap.Message) -> bytes:
    """The further blocks of an answer to a POST."""
    rest, n = bytearray(), 1
    while True:
        answer = bench.read(con("echo", 500 + n, POST, block2=(n, False, first.opt.block2.size_exponent)))
        assert answer.opt.etag == first.opt.etag
        rest += answer.payload
        if not answer.opt.block2.more:
            return bytes(rest)
        n += 1


@pytest.mark.parametrize("exponent", [0, 3, 6])
@pytest.mark.parametrize("size_bytes", [1, 1_024, 1_025, 2_048, 2_500])
def test_an_answer_in_blocks(bench: MessageBench, exponent: int, size_bytes: int) -> None:
    body, answers = download(bench, f"large?{size_bytes}", exponent)
    assert body == pattern(size_bytes)
    assert bench.platform.heard == [f"GET coap:/large?{size_bytes}".partition("?")[0]]
    if len(answers) > 1:
        assert answers[0].opt.size2 == size_bytes
        assert len({answer.opt.etag for answer in answers}) == 1
        assert all(answer.opt.size2 is None for answer in answers[1:])


def test_what_fits_has_no_block_option(bench: MessageBench) -> None:
    answer = bench.read(con("large?1024", 7))
    assert (answer.opt.block2, answer.opt.etag, len(answer.payload)) == (None, None, 1_024)


def test_a_peer_that_asks_for_nothing_gets_the_first_block(bench: MessageBench) -> None:
    answer = bench.read(con("large?1025", 7))
    assert (tuple(answer.opt.block2), len(answer.payload)) == ((0, True, 6), 1_024)


def test_the_servers_size_counts_if_it_is_smaller() -> None:
    bench = MessageBench(CoapRules(block_size_exponent=2))
    assert tuple(bench.read(block1(0, pattern(3_000), 6, 1)).opt.block1) == (0, True, 2)
    answer = bench.read(con("echo", 2, POST, payload=pattern(3_000)[1_024:], block1=(16, False, 2)))
    assert answer.code.dotted == "4.00", "a block of 1976 bytes that says 64"
    answer = bench.read(con("large?500", 3, block2=(0, False, 6)))
    assert (tuple(answer.opt.block2), len(answer.payload)) == ((0, True, 2), 64)
    answer = bench.read(con("large?500", 4, block2=(1, False, 2)))
    assert answer.payload == pattern(500)[64:128]


def test_a_peer_goes_on_with_smaller_blocks() -> None:
    bench = MessageBench(CoapRules(block_size_exponent=2))
    body = pattern(1_024 + 80)
    bench.read(block1(0, body, 6, 1))
    for n, has_more in ((16, True), (17, False)):
        part = body[n * 64 : (n + 1) * 64]
        answer = bench.read(con("echo", 10 + n, POST, payload=part, block1=(n, has_more, 2)))
        assert answer.code.dotted == ("2.31" if has_more else "2.04")
    assert bench.platform.heard == ["POST coap:/echo"]


def test_a_first_block_begins_anew(bench: MessageBench) -> None:
    bench.read(block1(0, pattern(3_000), 6, 1))
    bench.read(block1(1, pattern(3_000), 6, 2))
    assert upload(bench, pattern(1_100), 6).code.dotted == "2.04"


def test_blocks_that_come_again_in_other_messages(bench: MessageBench) -> None:
    body = pattern(2_100)
    for message_id, n in enumerate((0, 0, 1, 1)):
        assert bench.read(block1(n, body, 6, message_id)).code.dotted == "2.31"
    assert bench.read(block1(2, body, 6, 9)).payload == body[:1_024]


def test_a_last_block_that_counted_as_never_arrived_comes_again(bench: MessageBench) -> None:
    body = pattern(1_100)
    bench.read(block1(0, body, 6, 1, "unheard?2"))
    last = block1(1, body, 6, 2, "unheard?2")
    assert [bench.hear(last) for _ in range(3)] == [[], [], ["ACK 2.04 #2 t"]]
    assert len(bench.platform.heard) == 2


def test_two_uploads_at_once_do_not_mix(bench: MessageBench) -> None:
    one, two = pattern(1_100), bytes(1_100)
    bench.read(block1(0, one, 6, 1, "echo?1"))
    bench.read(block1(0, two, 6, 2, "echo?2"))
    first = bench.read(block1(1, one, 6, 3, "echo?1"))
    second = bench.read(block1(1, two, 6, 4, "echo?2"))
    assert (first.payload, second.payload) == (one[:1_024], two[:1_024])


WRONG = [
    (con("echo", 7, POST, payload=b"x" * 64, block1=(1, False, 2)), "4.08", "block 1 without those before it"),
    (con("echo", 7, POST, payload=b"x" * 63, block1=(0, True, 2)), "4.00", "a block of 63 bytes that says 64"),
    (con("echo", 7, POST, payload=b"x" * 65, block1=(0, True, 2)), "4.00", "a block of 65 bytes that says 64"),
    (con("echo", 7, POST, payload=b"x" * 65, block1=(0, False, 2)), "4.00", "a block of 65 bytes that says 64"),
    (con("echo", 7, POST, block1=(0, False, 7)), "4.00", "a block size exponent of 7, which is reserved"),
    (con("echo", 7, block2=(0, False, 7)), "4.00", "a block size exponent of 7, which is reserved"),
    (con("echo", 7, POST, payload=b"x" * 64, block1=(1_000_000, True, 2)), "4.13", "a body of more than 4096 bytes"),
    (con("echo", 7, POST, payload=b"x" * 64, block1=(0, True, 2), size1=5_000), "4.13", "a body of more than 4096"),
    (con("echo", 7, POST, payload=b"x" * 5_000), "4.13", "a body of more than 4096 bytes"),
    (con("large?100", 7, block2=(7, False, 0)), "4.00", "block 7 of a body that has 100 bytes"),
    (con("echo", 7, POST, block2=(7, False, 0)), "4.08", "block 7 of an answer that is gone"),
]


@pytest.mark.parametrize(("datagram", "code", "why"), WRONG)
def test_what_is_wrong_with_blocks(bench: MessageBench, datagram: bytes, code: str, why: str) -> None:
    answer = bench.read(datagram)
    assert answer.code.dotted == code
    assert code != "4.13" or answer.opt.size1 == 4_096
    if code in ("4.08", "4.13") and answer.opt.block1 is not None:
        assert answer.opt.block1.block_number in (0, 1, 1_000_000)
    said = bench.platform.heard[-1]
    assert said.startswith(f"{code}: {why}") or (said == "GET coap:/large" and "of a body" in why)


def test_an_upload_that_grows_too_large_ends(bench: MessageBench) -> None:
    codes = [bench.read(block1(n, pattern(10_000), 6, n)).code.dotted for n in range(5)]
    assert codes == ["2.31"] * 4 + ["4.13"]
    assert bench.layer.uploads.total_bytes == 0


def test_a_body_in_one_datagram_may_have_no_limit() -> None:
    body = pattern(5_000)
    for is_limited, code in ((True, "4.13"), (False, "2.04")):
        bench = MessageBench(CoapRules(body_bytes=4_096, limits_single_datagrams=is_limited))
        assert bench.read(con("echo", 1, POST, payload=body)).code.dotted == code


@pytest.mark.parametrize(("size_bytes", "code"), [(4_096, "2.04"), (4_097, "4.13")])
def test_the_limit_of_a_body_is_exact_in_blocks_and_in_one_datagram(size_bytes: int, code: str) -> None:
    body = pattern(size_bytes)
    bench = MessageBench(CoapRules(body_bytes=4_096, limits_single_datagrams=True))
    assert bench.read(con("echo", 1, POST, payload=body)).code.dotted == code
    assert upload(bench, body, 6).code.dotted == code


def test_a_gap_ends_an_upload(bench: MessageBench) -> None:
    body = pattern(4_000)
    bench.read(block1(0, body, 6, 1))
    assert bench.read(block1(2, body, 6, 2)).code.dotted == "4.08"
    assert bench.read(block1(1, body, 6, 3)).code.dotted == "4.08"


def test_what_is_unfinished_is_forgotten_in_time(bench: MessageBench) -> None:
    bench.read(block1(0, pattern(3_000), 6, 1))
    bench.read(con("large?3000", 2))
    bench.after(247)
    assert bench.read(block1(1, pattern(3_000), 6, 3)).code.dotted == "4.08"
    bench.layer.expire(bench.now_us)
    assert (bench.layer.uploads.total_bytes, bench.layer.bodies.total_bytes) == (0, 0)


def test_a_get_for_a_block_of_what_is_forgotten_asks_again(bench: MessageBench) -> None:
    bench.read(con("large?3000", 2))
    bench.after(247)
    assert bench.read(con("large?3000", 3, block2=(1, False, 6))).payload == pattern(3_000)[1_024:2_048]
    assert len(bench.platform.heard) == 2


def test_an_error_is_not_cut_to_a_block_that_it_has_not(bench: MessageBench) -> None:
    assert bench.read(con("nowhere", 3, block2=(1, False, 6))).code.dotted == "4.04"


def test_many_uploads_at_once_are_bounded() -> None:
    bench = MessageBench(CoapRules(body_bytes=1 << 24))
    bench.layer.uploads._most_bytes = 10_000
    for n in range(30):
        bench.read(block1(0, pattern(3_000), 6, n, f"echo?{n}"))
    assert bench.layer.uploads.total_bytes == 9 * 1_024
    assert bench.read(block1(1, pattern(3_000), 6, 40, "echo?0")).code.dotted == "4.08"
    assert bench.read(block1(1, pattern(3_000), 6, 41, "echo?29")).code.dotted == "2.31"


def test_a_slow_answer_to_a_request_in_blocks(bench: MessageBench) -> None:
    body = pattern(1_100)
    bench.read(block1(0, body, 6, 1, "late?600"))
    assert bench.hear(block1(1, body, 6, 2, "late?600")) == []
    assert bench.after(0.5) == ["ACK 0.00 #2"]
    bench.agenda.run(bench.now_us + 100_000)
    answer = aiocoap.Message.decode(bench.taken()[0])
    assert (tuple(answer.opt.block1), tuple(answer.opt.block2)) == ((1, False, 6), (0, True, 6))


def test_a_get_with_a_token_of_its_own_gets_it(bench: MessageBench) -> None:
    bench.read(con("large?3000", 2, token=b"a"))
    assert bench.hear(message(aiocoap.Type.NON, GET, 3, b"b", "large?3000", block2=(1, False, 6)))[0].endswith(" b")


@pytest.mark.parametrize(
    "fields", [{"block1": (0, True, 0), "payload": bytes(16)}, {"observe": 0}], ids=["upload", "observe"]
)
def test_long_options_are_not_kept(fields: dict[str, Any]) -> None:
    """With every upload, observation and pending request, 50,000 endpoints would hold gigabytes of them."""
    bench = MessageBench()
    path = "counter?" if "observe" in fields else "echo?"
    tracemalloc.start()
    try:
        for n in range(60):
            query = "&".join([str(n), *("q" * 250 for _ in range(200))])
            bench.hear(con(path + query, n, GET if "observe" in fields else POST, token=b"%d" % n, **fields))
        bench.platform.observers.clear()
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes < 1_000_000
