"""The ways in which a console lies: whatever is said around it, a command's own output and status are found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleetrig.hil.board_failed import ConsoleFailed
from fleetrig.hil.consoles.boot_watch import Notice
from fleetrig.hil.consoles.command_reading import CommandResult
from fleetrig.hil.consoles.shell_dialect import LINUX, UBOOT
from fleetrig.simulator.contract.errors import UsageError
from tests.hil.scripted_port import TOKEN, ScriptedPort, console_on, replying, run

B, E = f"{TOKEN}B1.", f"{TOKEN}E1."
ECHO = f"$ fleetrig=; echo '{TOKEN}''B1.'; eval 'x'; fleetrig=$?; echo '{TOKEN}''E1.'$fleetrig'.'\r\n"


async def ran(*pieces: bytes) -> CommandResult:
    return await console_on(ScriptedPort(replying(*pieces))).run("x")


LIES = [
    pytest.param(f"{B}\r\none\r\ntwo\r\n{E}0.\r\n$ ", "one\ntwo", 0, id="plain"),
    pytest.param(f"{ECHO}{B}\r\none\r\n{E}3.\r\n$ ", "one", 3, id="echoed"),
    pytest.param(f"{B}\r\n{E}127.\r\n$ ", "", 127, id="no output"),
    pytest.param(f"{B}\r\n\r\n{E}0.\r\n$ ", "", 0, id="an empty line"),
    pytest.param(f"{B}\r\ncrc32 ==> f6a1a6aa\r\n{E}0.\r\n=> ", "crc32 ==> f6a1a6aa", 0, id="a prompt in a line"),
    pytest.param(f"{B}\r\n=> \r\n{E}0.\r\n=> ", "=> ", 0, id="a prompt as a line"),
    pytest.param(f"{B}\r\n# \r\n$ \r\n> \r\n{E}0.\r\n# ", "# \n$ \n> ", 0, id="all prompts as lines"),
    pytest.param(f"{B}\r\nno end{E}0.\r\n$ ", "no end", 0, id="output without an end of line"),
    pytest.param(f"{B}\r\n$ {E}0.\r\n$ ", "$ ", 0, id="output is a prompt without an end of line"),
    pytest.param(f"[ 1.2] usb 1-1: new{B}\r\none\r\n{E}0.\r\n$ ", "one", 0, id="a kernel message before the mark"),
    pytest.param(f"{B}[ 1.2] usb\r\none\r\n{E}0.\r\n$ ", "[ 1.2] usb\none", 0, id="a kernel message behind the mark"),
    pytest.param(f"{B}\r\none\r\n{E}0.[ 1.2] usb\r\n$ ", "one", 0, id="a kernel message behind the status"),
    pytest.param(f"{B}\r\none\r\n{E}1.27 packets\r\n$ ", "one", 1, id="digits behind the status"),
    pytest.param(f"{B}\r\n[ 1.2] usb\r\none\r\n{E}0.\r\n", "[ 1.2] usb\none", 0, id="a kernel message, and no prompt"),
    pytest.param(f"noise\r\n$ {ECHO}{B}\r\none\r\n{E}0.\r\n$ ", "one", 0, id="noise before"),
    pytest.param(f"{B}\none\n{E}0.\n$ ", "one", 0, id="LF alone"),
    pytest.param(f"{B}\n\rone\n\rtwo\n\r{E}0.\n\r$ ", "one\ntwo", 0, id="LF CR"),
    pytest.param(f"{B}\r\r\none\r\r\n{E}0.\r\r\n$ ", "one", 0, id="CR CR LF"),
    pytest.param(f"{B}\r\n10%\r50%\r100%\r\n{E}0.\r\n$ ", "10%\n50%\n100%", 0, id="progress"),
    pytest.param(f"\x1b[?2004l\r{B}\r\n\x1b[31mred\x1b[0m\r\n{E}0.\r\n\x1b[?2004h$ ", "red", 0, id="colours, paste"),
    pytest.param(f"{B}\r\n\x1b]0;t\x07one\r\n\x1b[0m{E}0.\x1b[K\r\n$ ", "one", 0, id="escapes around the marks"),
    pytest.param(f"+ echo {B}\r\n{B}\r\none\r\n+ echo {E}4.\r\n{E}4.\r\n$ ", "one", 4, id="set -x"),
    pytest.param(f"{TOKEN}B0.\r\n{TOKEN}E0.9.\r\n{B}\r\none\r\n{E}0.\r\n$ ", "one", 0, id="an older command ends now"),
    pytest.param(f"{B}\r\n{TOKEN}E11.9.\r\n{E}0.\r\n$ ", f"{TOKEN}E11.9.", 0, id="a mark that begins like ours"),
    pytest.param(f"{B}\r\necho '{TOKEN}''E1.'$?\r\n{E}0.\r\n$ ", f"echo '{TOKEN}''E1.'$?", 0, id="its own text"),
    pytest.param(f"{B}\r\nabc\x00def\r\n{E}0.\r\n$ ", "abcdef", 0, id="NUL"),
    pytest.param(f"{B}\r\n  two  spaces  \r\n{E}0.\r\n$ ", "  two  spaces  ", 0, id="blanks are kept"),
    pytest.param(f"{B}\r\nlogin: \r\n{E}0.\r\n$ ", "login: ", 0, id="what looks like a login"),
]


@pytest.mark.parametrize(("said", "output", "status"), LIES)
def test_whole_output_and_status(said: str, output: str, status: int) -> None:
    result = run(ran(said.encode()))
    assert (result.output, result.status, result.is_bounded) == (output, status, True)


@given(lie=st.sampled_from(LIES), data=st.data())
@settings(max_examples=60, deadline=None)
def test_any_chunking_gives_the_same_result(lie: object, data: st.DataObject) -> None:
    said, output, status = lie.values  # type: ignore[attr-defined]
    stream = said.encode()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))))
    result = run(ran(*(stream[a:b] for a, b in pairwise([0, *cuts, len(stream)]))))
    assert (result.output, result.status) == (output, status)


def test_undecodable_output() -> None:
    assert run(ran(f"{B}\r\n".encode() + b"\xff\xfe\r\n" + f"{E}0.\r\n$ ".encode())).output == "\ufffd\ufffd"


def test_a_torn_end_mark_is_asked_for_again() -> None:
    answers = iter([f"{B}\r\none\r\n{TOKEN}[ 1.2] usb\r\nE1.5.\r\n$ ", f"{E}5.\r\n$ "])
    port = ScriptedPort(lambda typed: [next(answers).encode()] if typed.endswith(b"\n") else [])
    result = run(console_on(port).run("x"))
    assert (result.status, result.output.splitlines()[0]) == (5, "one")


def test_one_torn_in_the_token_is_asked_for_when_time_is_up() -> None:
    answers = iter([f"{B}\r\none\r\nk3[ 1.2] usb\r\nf9E1.5.\r\n$ ", f"{E}5.\r\n$ "])
    port = ScriptedPort(lambda typed: [next(answers).encode()] if typed.endswith(b"\n") else [])
    assert run(console_on(port).run("x")).status == 5


def test_a_torn_begin_mark_is_told() -> None:
    result = run(ran(f"{TOKEN}[ 1.2] usb\r\nB1.\r\none\r\n{E}0.\r\n$ ".encode()))
    assert (result.status, result.is_bounded) == (0, False)
    assert result.output.endswith("one")


def test_a_command_that_runs_is_not_typed_into() -> None:
    """Neither is its status asked while it runs, nor does a stale one pass for its own."""
    port = ScriptedPort(replying(f"{B}\r\nworking\r\n".encode()))
    with pytest.raises(ConsoleFailed, match="x did not end within 10 s; the last it said: 'working'") as failed:
        run(console_on(port).run("x"))
    assert failed.value.partial == "working"
    assert port.typed.count(b"\n") == 1


def test_a_status_that_is_not_there_is_none() -> None:
    answers = iter([f"{B}\r\n$ ", f"{E}.\r\n$ "])
    port = ScriptedPort(lambda typed: [next(answers, "").encode()] if typed.endswith(b"\n") else [])
    with pytest.raises(ConsoleFailed, match="did not end"):
        run(console_on(port).run("x"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        pytest.param("", "x did not come within 10 s; it said nothing at all", id="silence"),
        pytest.param("gw login: ", "x did not come within 10 s; the last it said: 'gw login: '", id="nobody logged in"),
        pytest.param(f"{ECHO}> ", "x did not come within 10 s", id="the echo alone"),
        pytest.param(f"{B}\r\nU-Boot 2023.01 (x)\r\n", "the board restarted while x was awaited: U-Boot", id="reset"),
        pytest.param(
            f"{B}\r\n[    0.000000] Linux version 6.1\r\n", "the board restarted while x was", id="the kernel's banner"
        ),
        pytest.param(f"{B}\r\n[ 9.1] Kernel panic - not syncing: x\r\n", "the board panicked while x was", id="panic"),
        pytest.param(f"{B}\r\nInternal error: Oops: 5 [#1]\r\n", "the board panicked while x was awaited", id="oops"),
        pytest.param(f"{B}\r\n### ERROR ### Please RESET the board ###\r\n", "the board panicked", id="RESET"),
        pytest.param(f'{B}\r\n"Synchronous Abort" handler, esr 0x9\r\n', "the board panicked", id="abort"),
    ],
)
def test_commands_that_do_not_end(said: str, sentence: str) -> None:
    with pytest.raises(ConsoleFailed, match=sentence):
        run(ran(said.encode()))


@pytest.mark.parametrize("line", ["U-Boot 2023.01 (Jan 01)", "[ 9.1] BUG: scheduling", "Linux version 6.1.0 (gcc)"])
def test_output_that_looks_like_a_restart_is_output(line: str) -> None:
    result = run(ran(f"{B}\r\n{line}\r\n{E}0.\r\n$ ".encode()))
    assert (result.output, result.looked_like) == (line, line)


def test_a_restart_behind_the_end_is_told() -> None:
    told: list[Notice] = []
    console = console_on(ScriptedPort(replying(f"{B}\r\n{E}0.\r\nU-Boot 2023.01 (x)\r\n=> ".encode())), UBOOT)
    console.on_notice = told.append
    assert run(console.run("x")).status == 0
    assert told == [Notice("restarted", "U-Boot 2023.01 (x)")]


def test_huge_output_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetrig.hil.consoles.command_reading.OUTPUT_LIMIT_CHARS", 100)
    many = "123456789\r\n" * 50
    result = run(ran(f"{B}\r\n{many}{E}0.\r\n$ ".encode()))
    assert (len(result.output), result.left_out_chars, result.status) == (99, 400, 0)


@pytest.mark.parametrize("command", ["a\nb", "a\rb", "x" * 250, "echo a # b", "# b"])
def test_what_u_boot_would_misunderstand_is_not_typed(command: str) -> None:
    port = ScriptedPort(replying())
    with pytest.raises(UsageError):
        run(console_on(port, UBOOT).run(command))
    assert port.typed == b""


def test_what_busybox_would_cut_is_not_typed() -> None:
    port = ScriptedPort(replying())
    with pytest.raises(UsageError, match="too long for one line of Linux shell"):
        run(console_on(port).run("x" * 950))
    assert port.typed == b""


@pytest.mark.parametrize("dialect", [UBOOT, LINUX], ids=lambda dialect: str(dialect.name))
def test_no_empty_line_is_ever_typed(dialect: object) -> None:
    port = ScriptedPort(replying(f"{B}\r\n{E}0.\r\n$ ".encode()))
    run(console_on(port, dialect).run("x"))  # type: ignore[arg-type]
    assert port.typed.endswith(b"\n")
    assert b"" not in port.typed.splitlines()
    assert b"\r" not in port.typed


def test_secrets_are_masked_in_sentences() -> None:
    console = console_on(ScriptedPort(replying(f"{B}\r\ntoken=verysecret9\r\n".encode())))
    console.secrets.learn("token", "verysecret9")
    with pytest.raises(ConsoleFailed) as failed:
        run(console.run("setenv token verysecret9"))
    assert "token=token:" in failed.value.partial
    assert "verysecret9" not in f"{failed.value} {failed.value.partial}"


@given(st.lists(st.sampled_from(["word", "$ ", "U-Boot 2023.01", "BUG: x", "Linux version 6", f"{TOKEN}B1.", ""])))
@settings(max_examples=40, deadline=None)
def test_lines_taken_at_once_are_like_lines_one_by_one(lines: list[str]) -> None:
    told: list[list[Notice]] = [[], []]
    results = []
    stream = "".join(f"{line}\r\n" for line in (B, *lines, f"{E}0.")).encode() + b"$ "
    for notices, pieces in zip(told, ([stream], [bytes([byte]) for byte in stream]), strict=True):
        console = console_on(ScriptedPort(replying(*pieces)))
        console.on_notice = notices.append
        result = run(console.run("x"))
        results.append((result.output, result.status, result.looked_like))
    assert results[0] == results[1]
    assert told[0] == told[1]
