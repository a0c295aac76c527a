"""What a device's requests look like on a real socket, byte by byte, and which answers it understands (V29, V31)."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from fleetrig.simulator.certificates.authority import CertificateAuthority
from fleetrig.simulator.contract.http import Body, Headers, HttpRequest, Repeated, split_url
from fleetrig.simulator.effects import REPLY_LIMIT_BYTES, Ask, NoReply, Reply
from fleetrig.simulator.transports.http import HttpTransport
from fleetrig.simulator.transports.storage import Storage
from tests.simulator.transports.raw_server import Answer, Connection, RawServer, saying, silent, whole

GENEROUS_S = 20.0
TLS = ssl.create_default_context()


def talking(answer: Answer, talk: Callable[[RawServer, HttpTransport], Awaitable[None]]) -> RawServer:
    """One client and one raw server, for one conversation."""

    async def conversation() -> RawServer:
        async with asyncio.timeout(GENEROUS_S), RawServer(answer) as server:
            transport = HttpTransport(TLS, Storage())
            try:
                await talk(server, transport)
            finally:
                await transport.close()
        return server

    return asyncio.run(conversation())


def asked(
    answer: Answer, *, target: str = "/", headers: Headers = (), method: str = "GET", body: Body = b"", times: int = 1
) -> tuple[RawServer, list[Reply | NoReply]]:
    """Sends the same request so many times, one after another."""
    outcomes: list[Reply | NoReply] = []

    async def talk(server: RawServer, transport: HttpTransport) -> None:
        request = HttpRequest(method, server.origin, target, headers, body)
        outcomes.extend([await transport.ask(Ask("poll", request, 5.0)) for _ in range(times)])

    return talking(answer, talk), outcomes


ODD_TARGETS = [
    "/DEFAULT/controller/v1/dev-1/deploymentBase/12?c=-1",
    "/a%2fb%2Fc%20d%C3%BC%c3%bc%zz%",
    "/a//b/./c/../d/",
    "//starts/with/two",
    "/plus+and%2Bplus?x=a+b%20c&&=;y",
    "/?",
    "/?c=-2122565939&actionHistory=10",
    "/:@,*!$'()~|^`{}[]\\\"<>",
    "/;jsessionid=1",
    "/../../etc",
    "/" + "x" * 8_000,
]


@pytest.mark.parametrize("target", ODD_TARGETS, ids=range(len(ODD_TARGETS)))
def test_a_target_goes_out_as_it_is(target: str) -> None:
    server, outcomes = asked(saying(whole()), target=target)
    assert server.requests[0].split(b"\r\n")[0] == b"GET " + target.encode() + b" HTTP/1.1"
    assert isinstance(outcomes[0], Reply)


@pytest.mark.parametrize("target", ODD_TARGETS, ids=range(len(ODD_TARGETS)))
def test_so_does_the_target_of_a_link(target: str) -> None:
    origin, sent = split_url("http://127.0.0.1:1" + target)
    assert (origin, sent) == ("http://127.0.0.1:1", target)


def test_nothing_is_sent_that_was_not_asked_for() -> None:
    headers = (
        ("Authorization", "TargetToken t0ken"),
        ("aCCept", "application/json"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    )
    server, _ = asked(saying(whole(b"{}", "200 OK", "Set-Cookie: a=b")), headers=headers, times=2)
    expected = (
        "GET / HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\n"
        "Authorization: TargetToken t0ken\r\naCCept: application/json\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n"
    )
    assert server.requests == [expected.encode()] * 2


def test_a_body_has_a_length_and_nothing_else() -> None:
    headers = (("Content-Type", "application/json"),)
    server, _ = asked(saying(whole()), method="PUT", headers=headers, body=b'{"data":{}}')
    assert server.requests == [
        f"PUT / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        'Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{"data":{}}'.encode()
    ]


def test_a_body_in_parts_is_streamed_with_its_length_and_nothing_else() -> None:
    body = (b"--edge", Repeated(b"abc", 1, 7), b"--")
    server, _ = asked(saying(whole()), method="POST", headers=(("A", "b"),), body=body)
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == b"--edgebcabcab--"
    assert head.split(b"\r\n")[2:] == [b"A: b", b"Content-Length: 15"]


def test_a_method_that_usually_has_a_body_says_that_it_has_none() -> None:
    server, _ = asked(saying(whole()), method="POST")
    assert server.requests[0].endswith(b"\r\nContent-Length: 0\r\n\r\n")
    server, _ = asked(saying(whole()), method="DELETE")
    assert b"ontent-" not in server.requests[0]


def test_host_and_length_can_be_given() -> None:
    server, _ = asked(
        saying(whole()), method="PUT", headers=(("host", "elsewhere"), ("content-length", "2")), body=b"{}"
    )
    assert server.requests == [b"PUT / HTTP/1.1\r\nhost: elsewhere\r\ncontent-length: 2\r\n\r\n{}"]


def test_user_and_password_of_a_link_do_not_replace_the_token() -> None:
    async def talk(server: RawServer, transport: HttpTransport) -> None:
        origin, target = split_url(f"http://user:secret@127.0.0.1:{server.port}/x")
        request = HttpRequest("GET", origin, target, (("Authorization", "TargetToken t0ken"),))
        await transport.ask(Ask("poll", request, 5.0))
        await transport.ask(Ask("poll", HttpRequest("GET", origin, target), 5.0))

    server = talking(saying(whole()), talk)
    assert b"Authorization: TargetToken t0ken\r\n" in server.requests[0]
    assert b"Basic" not in server.requests[0] + server.requests[1]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 P"])
def test_v31_redirects_are_answers_like_others(status: str) -> None:
    async def talk(server: RawServer, transport: HttpTransport) -> None:
        async with RawServer(saying(whole())) as elsewhere:
            servers.append(elsewhere)
            request = HttpRequest("GET", server.origin, "/", (("Authorization", "TargetToken t0ken"),))
            location[0] = f"{elsewhere.origin}/x"
            outcomes.append(await transport.ask(Ask("poll", request, 5.0)))

    async def redirect(connection: Connection, _: bytes) -> None:
        await connection.send(whole(b"", status, f"Location: {location[0]}"))

    servers: list[RawServer] = []
    outcomes: list[Reply | NoReply] = []
    location = [""]
    server = talking(redirect, talk)
    (reply,) = outcomes
    assert isinstance(reply, Reply)
    assert reply.envelope.status == int(status[:3])
    assert reply.envelope.header("location") == location[0]
    assert len(server.requests) == 1
    assert servers[0].requests == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_not_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    _, outcomes = asked(saying(whole()))
    assert isinstance(outcomes[0], Reply)
    assert os.environ[name]


BODY = b'{"config":{"polling":{"sleep":"00:00:05"}}}'
FORMS = {
    "length": whole(BODY),
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + BODY[:5] + b"\r\n26\r\n" + BODY[5:]
    + b"\r\n0\r\n\r\n",
    "chunked-with-extras": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2b;ext=1\r\n" + BODY
    + b"\r\n0\r\nTrailer: 1\r\n\r\n",
    "odd-header-case": b"HTTP/1.1 200 OK\r\ncONTENT-lENGTH:43\r\n\r\n" + BODY,
    "no-reason": b"HTTP/1.1 200 \r\nContent-Length: 43\r\n\r\n" + BODY,
    "early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + whole(BODY),
    "duplicate-headers": whole(BODY, "200 OK", "Vary: a", "Vary: b", "charsets: utf-8", "charsets: utf-8"),
    "two-equal-lengths": whole(BODY, "200 OK", "Content-Length: 43"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_v29_every_form_of_answer_over_one_connection(form: str) -> None:
    server, outcomes = asked(saying(FORMS[form]), times=3)
    for outcome in outcomes:
        assert isinstance(outcome, Reply), outcome
        assert outcome.envelope.status == 200
        assert outcome.envelope.body == BODY
        assert 0.0 < outcome.after_s < GENEROUS_S
    assert len(server.connections) == 1


CLOSING = {
    "close": whole(BODY, "200 OK", "Connection: close"),
    "until-the-end": b"HTTP/1.1 200 OK\r\n\r\n" + BODY,
    "http-1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "http-1.0-with-length": b"HTTP/1.0 200 OK\r\nContent-Length: 43\r\n\r\n" + BODY,
}


@pytest.mark.parametrize("form", CLOSING)
def test_v29_answers_that_close_the_connection(form: str) -> None:
    async def answer(connection: Connection, _: bytes) -> None:
        await connection.send(CLOSING[form])
        connection.close()

    server, outcomes = asked(answer, times=2)
    assert [o.envelope.body if isinstance(o, Reply) else o for o in outcomes] == [BODY] * 2
    assert len(server.connections) == 2


def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    async def talk(server: RawServer, transport: HttpTransport) -> None:
        request = HttpRequest("GET", server.origin, "/")
        for _ in range(2):
            outcome = await transport.ask(Ask("poll", request, 5.0))
            assert isinstance(outcome, Reply)
            connection = server.connections[-1]
            connection.close()
            await connection.writer.wait_closed()

    assert len(talking(saying(whole()), talk).connections) == 2


def test_a_head_has_no_body() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n"
    _, outcomes = asked(saying(head), method="HEAD", times=2)
    for outcome in outcomes:
        assert isinstance(outcome, Reply)
        assert (outcome.envelope.body, outcome.envelope.header("content-length")) == (b"", "9000")


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(status: str) -> None:
    _, outcomes = asked(saying(f'HTTP/1.1 {status}\r\nETag: "1"\r\n\r\n'.encode()), times=2)
    assert [isinstance(o, Reply) and o.envelope.status for o in outcomes] == [int(status[:3])] * 2


def test_a_body_is_given_as_it_came() -> None:
    """Nobody asked for gzip: unpacking it would hide that the server sends it all the same."""
    _, outcomes = asked(saying(whole(b"\x1f\x8b not unpacked", "200 OK", "Content-Encoding: gzip")))
    assert isinstance(outcomes[0], Reply)
    assert outcomes[0].envelope.body == b"\x1f\x8b not unpacked"
    assert outcomes[0].envelope.headers == (("Content-Length", "15"), ("Content-Encoding", "gzip"))


def test_header_bytes_survive() -> None:
    _, outcomes = asked(saying(whole(b"").replace(b"\r\n\r\n", b"\r\nX-Name: Gr\xfc\xdfe\r\n\r\n")))
    assert isinstance(outcomes[0], Reply)
    assert outcomes[0].envelope.header("x-name") == "Grüße"


class TestFailures:
    """Each kind of NoReply (V09)."""

    def why(self, answer: Answer, within_s: float = 5.0, times: int = 1) -> list[str]:
        whys: list[str] = []

        async def talk(server: RawServer, transport: HttpTransport) -> None:
            request = HttpRequest("GET", server.origin, "/")
            for _ in range(times):
                outcome = await transport.ask(Ask("poll", request, within_s))
                assert isinstance(outcome, NoReply), outcome
                assert outcome.after_s > 0.0
                whys.append(outcome.why)

        talking(answer, talk)
        return whys

    def test_refused(self) -> None:
        async def talk(server: RawServer, transport: HttpTransport) -> None:
            port = server.port
            await server.__aexit__(None, None, None)
            for host in ("127.0.0.1", "localhost"):
                outcome = await transport.ask(Ask("poll", HttpRequest("GET", f"http://{host}:{port}", "/"), 5.0))
                assert isinstance(outcome, NoReply)
                assert outcome.why == "refused"

        talking(silent, talk)

    def test_reset_before_and_within_an_answer(self) -> None:
        async def at_once(connection: Connection, _: bytes) -> None:
            connection.reset()

        async def in_the_middle(connection: Connection, _: bytes) -> None:
            await connection.send(whole(b"x" * 100)[:-50])
            connection.reset()

        assert self.why(at_once, times=2) == ["reset", "reset"]
        assert self.why(in_the_middle, times=2) == ["reset", "reset"]

    @pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
    def test_closed_without_an_answer(self, said: bytes) -> None:
        async def answer(connection: Connection, _: bytes) -> None:
            await connection.send(said)
            connection.close()

        assert self.why(answer, times=2) == ["closed", "closed"]

    @pytest.mark.parametrize(
        "said",
        [whole(b"x" * 100)[:-1], whole(b"x" * 100)[:-100],
         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"],
        ids=["almost", "nothing", "within-a-chunk", "no-last-chunk"],
    )  # fmt: skip
    def test_truncated(self, said: bytes) -> None:
        async def answer(connection: Connection, _: bytes) -> None:
            await connection.send(said)
            connection.close()

        assert self.why(answer) == ["truncated"]

    @pytest.mark.parametrize(
        "said",
        [b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x50\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n",
         b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
         b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000],
        ids=range(9),
    )  # fmt: skip
    def test_malformed(self, said: bytes) -> None:
        async def answer(connection: Connection, _: bytes) -> None:
            await connection.send(said)
            await connection.reader.read()

        assert self.why(answer) == ["malformed"]

    def test_too_large(self) -> None:
        async def answer(connection: Connection, _: bytes) -> None:
            await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                await connection.send(b"x" * 65_536)

        assert self.why(answer) == ["malformed"]
        exactly = whole(b"x" * REPLY_LIMIT_BYTES)
        _, outcomes = asked(saying(exactly))
        assert isinstance(outcomes[0], Reply)

    def test_silence_is_a_timeout_and_the_next_request_is_a_new_connection(self) -> None:
        async def answer(connection: Connection, request: bytes) -> None:
            if len(seen) < 2:
                seen.append(request)
                await silent(connection, request)
            else:
                await connection.send(whole())

        seen: list[bytes] = []

        async def talk(server: RawServer, transport: HttpTransport) -> None:
            request = HttpRequest("GET", server.origin, "/")
            for _ in range(2):
                assert await transport.ask(Ask("poll", request, 0.05)) == NoReply("timeout", pytest.approx(0.05, abs=5))  # type: ignore[arg-type]
                await server.connections[-1].ended.wait()
            assert isinstance(await transport.ask(Ask("poll", request, 5.0)), Reply)

        server = talking(answer, talk)
        assert len(server.connections) == 3

    def test_a_dripping_answer_is_a_timeout_too(self) -> None:
        """Each byte comes in time; the whole does not. A library's read timeout would wait for ever."""

        async def drip(connection: Connection, _: bytes) -> None:
            await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                await connection.send(b"x")
                await asyncio.sleep(0.01)

        assert self.why(drip, within_s=0.2) == ["timeout"]

    def test_tls(self) -> None:
        async def talk(server: RawServer, transport: HttpTransport) -> None:
            request = HttpRequest("GET", f"https://127.0.0.1:{server.port}", "/")
            outcome = await transport.ask(Ask("poll", request, 5.0))
            assert isinstance(outcome, NoReply)
            assert outcome.why == "tls"

        async def not_tls(connection: Connection, _: bytes) -> None:
            await connection.send(whole())

        class Plain(RawServer):
            async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.read(5)
                writer.write(whole())
                writer.close()

        async def conversation() -> None:
            async with asyncio.timeout(GENEROUS_S), Plain(not_tls) as server:
                transport = HttpTransport(TLS, Storage())
                await talk(server, transport)
                await transport.close()

        asyncio.run(conversation())

    def test_an_alert_after_the_handshake_is_tls_too(self, tmp_path: Path) -> None:
        """With TLS 1.3 a client has shaken hands before the server has judged its certificate, or missed one."""
        authority = CertificateAuthority("those", time.time_ns() // 1_000)
        issued = authority.issue_server(["127.0.0.1"])
        for name, pem in (("ca", authority.certificate_pem), ("own", issued.certificate_pem + issued.key_pem)):
            (tmp_path / name).write_bytes(pem)
        strict = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        strict.load_cert_chain(tmp_path / "own")
        strict.load_verify_locations(tmp_path / "ca")
        strict.verify_mode, strict.minimum_version = ssl.CERT_REQUIRED, ssl.TLSVersion.TLSv1_3

        refused = asyncio.Event()

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
            peer = strict.wrap_bio(came, goes, server_side=True)
            with suppress(ssl.SSLError):
                while True:
                    with suppress(ssl.SSLWantReadError):
                        peer.do_handshake()
                    writer.write(goes.read())
                    came.write(await reader.read(16_384))
            writer.write(goes.read())
            await reader.read()
            writer.close()
            await writer.wait_closed()
            refused.set()

        async def conversation() -> Reply | NoReply:
            async with asyncio.timeout(GENEROUS_S), await asyncio.start_server(refuse, "127.0.0.1") as server:
                port = server.sockets[0].getsockname()[1]
                transport = HttpTransport(ssl.create_default_context(cafile=str(tmp_path / "ca")), Storage())
                try:
                    return await transport.ask(Ask("poll", HttpRequest("GET", f"https://127.0.0.1:{port}", "/"), 5.0))
                finally:
                    await transport.close()
                    await refused.wait()

        outcome = asyncio.run(conversation())
        assert isinstance(outcome, NoReply)
        assert outcome.why == "tls"

    @pytest.mark.parametrize(
        "origin", ["http://127.0.0.1:99999", "http://:80", "ftp://127.0.0.1", "http://a b", "nothing"]
    )
    def test_links_that_lead_nowhere(self, origin: str) -> None:
        async def talk(_: RawServer, transport: HttpTransport) -> None:
            outcome = await transport.ask(Ask("poll", HttpRequest("GET", origin, "/"), 5.0))
            assert isinstance(outcome, NoReply)
            assert outcome.why in ("malformed", "unreachable")

        talking(silent, talk)

    @pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/ü", "/\x00", ""])
    def test_targets_that_cannot_be_sent(self, target: str) -> None:
        server, outcomes = asked(saying(whole()), target=target)
        assert [o.why for o in outcomes if isinstance(o, NoReply)] == ["malformed"]
        assert server.requests == []

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ключ", "\x00"])
    def test_headers_that_cannot_be_sent(self, value: str) -> None:
        server, outcomes = asked(saying(whole()), headers=(("Authorization", value),))
        assert [o.why for o in outcomes if isinstance(o, NoReply)] == ["malformed"]
        assert server.requests == []


def test_a_name_that_nobody_has() -> None:
    async def talk(_: RawServer, transport: HttpTransport) -> None:
        outcome = await transport.ask(Ask("poll", HttpRequest("GET", "http://no-such-host.invalid", "/"), 15.0))
        assert isinstance(outcome, NoReply)
        assert outcome.why in ("unreachable", "timeout")

    talking(silent, talk)


def test_v34_nothing_is_logged_with_a_token_in_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    asked(saying(whole()), headers=(("Authorization", "TargetToken s3cret-t0ken"),), times=2)
    assert "s3cret-t0ken" not in caplog.text


def test_a_token_goes_out_as_latin_1() -> None:
    async def talk(server: RawServer, transport: HttpTransport) -> None:
        headers = (("Authorization", "TargetToken schön ÿ"),)
        await transport.ask(Ask("poll", HttpRequest("GET", server.origin, "/", headers), 15.0))
        assert b"\r\nAuthorization: TargetToken sch\xf6n \xff\r\n" in server.requests[0]

    talking(saying(whole()), talk)


def test_on_sent_is_called_when_the_server_can_have_it_all() -> None:
    """After the last byte of the request is out, before any of the answer is in."""

    async def talk(server: RawServer, transport: HttpTransport) -> None:
        sent = asyncio.Event()
        body = b"x" * 1_000_000
        request = HttpRequest("PUT", server.origin, "/", (), body)
        asking = asyncio.create_task(transport.ask(Ask("configData", request, 15.0), sent.set))
        await sent.wait()
        await server.arrived.wait()
        assert server.requests[0].endswith(body)
        assert not asking.done()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    talking(silent, talk)


def test_a_cancelled_request_leaves_no_task_and_no_socket() -> None:
    async def talk(server: RawServer, transport: HttpTransport) -> None:
        before = asyncio.all_tasks()
        asking = asyncio.create_task(transport.ask(Ask("poll", HttpRequest("GET", server.origin, "/"), 15.0)))
        await server.arrived.wait()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await server.connections[-1].ended.wait()
        server.arrived.clear()
        for within_s in (0.02 * 2**times for times in range(10)):  # a busy machine may need longer to get there
            await transport.ask(Ask("poll", HttpRequest("GET", server.origin, "/"), within_s))
            if server.arrived.is_set():
                break
        await server.connections[-1].ended.wait()
        own = {task for task in asyncio.all_tasks() - before if "_accept" not in repr(task.get_coro())}
        assert own == set()

    talking(silent, talk)


def test_a_broken_off_handshake_leaves_no_connection() -> None:
    """Whoever listens says nothing; the device gives up, and then its end is closed too."""

    async def conversation() -> NoReply | Reply:
        ended = asyncio.Event()

        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()  # to the end
            ended.set()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        transport = HttpTransport(TLS, Storage())
        try:
            answer = await transport.ask(Ask("poll", HttpRequest("GET", origin, "/"), 0.2))
            async with asyncio.timeout(GENEROUS_S):
                await ended.wait()
        finally:
            await transport.close()
            server.close()
        return answer

    answer = asyncio.run(conversation())
    assert isinstance(answer, NoReply)
    assert answer.why == "timeout"
