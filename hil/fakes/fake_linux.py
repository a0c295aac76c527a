"""A board with a shell like a busybox's: files, `cat`, `printf`, `sha256sum`, `reboot`, a login if it wants one.

What a command wrote survives a power cut only after `sync`, as on a real board.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Final

from fleetrig.hil.fakes.fake_board import Brain, Hear, Say
from fleetrig.hil.fakes.fake_prompt import Prompt
from fleetrig.hil.fakes.fake_shell import commands, replaced

BOOTING: Final = b"[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]\r\n"
PROMPT: Final = "gw:/# "

ChainRun = Generator[Say | Hear, bytes, tuple[bytes, int]]
"""Commands at work; they end with what they printed and the status of the last."""

ShellProgram = Callable[[list[str], dict[str, bytes]], tuple[bytes, int]]
"""What a command prints and its status, given its arguments and the files as they are now."""


@dataclass
class FakeLinux:
    """Make one for each board; `brain` is one start of it. `stored` is what a power cut leaves.

    `programs` are further commands by name, such as the agent of a product. `says` comes by itself before the prompt.
    """

    stored: dict[str, bytes] = field(default_factory=dict)
    login: str = ""
    password: str = field(default="", repr=False)
    programs: dict[str, ShellProgram] = field(default_factory=dict)
    says: bytes = b""
    rom: dict[str, bytes] = field(default_factory=dict)
    """Files of the firmware: there at each start, whatever became of them."""
    commands_run: list[str] = field(default_factory=list)
    on_stored: Callable[[Mapping[str, bytes] | None], None] = lambda _: None
    """Hears what is stored, at each start and each `sync`; None when it goes down by itself."""

    def brain(self) -> Brain:
        """One start after the other, until the power goes."""
        while True:
            yield from self.start()

    def start(self) -> Brain:
        """Until `reboot`."""
        prompt = Prompt(PROMPT)
        self.on_stored(self.stored)
        yield Say(BOOTING)
        yield Say(self.says)
        if self.login:
            yield from self._let_in(prompt)
        yield from self._shell(prompt, self.stored | self.rom)
        self.on_stored(None)

    def _let_in(self, prompt: Prompt) -> Generator[Say | Hear, bytes, None]:
        while True:
            prompt.text, prompt.echoes = "gw login: ", True
            name = yield from prompt.line()
            prompt.text, prompt.echoes = "Password: ", False
            password = yield from prompt.line()
            yield Say(b"\r\n")
            if (name, password) == (self.login, self.password):
                prompt.text, prompt.echoes = PROMPT, True
                return
            yield Say(b"Login incorrect\r\n")

    def _shell(self, prompt: Prompt, files: dict[str, bytes]) -> Generator[Say | Hear, bytes, None]:
        variables = {"?": "0"}
        while True:
            line = yield from prompt.line()
            self.commands_run.append(line)
            waiting = list(commands(line))
            while waiting:
                command = replaced(waiting.pop(0), variables)
                match command.words:
                    case []:
                        continue
                    case ["eval", *words]:
                        waiting[:0] = commands(" ".join(words))
                        continue
                    case ["reboot"]:
                        return
                    case ["stty", "-echo" | "echo" as how]:
                        prompt.echoes = how == "echo"
                        continue
                    case [one] if "=" in one and "==" not in one:
                        name, _, value = one.partition("=")
                        variables[name] = value
                        continue
                said, status = yield from self._chain(command.words, files, prompt)
                variables["?"] = str(status)
                if command.into:
                    files[command.into] = (files.get(command.into, b"") if command.adds else b"") + said
                elif said:
                    yield Say(said.replace(b"\n", b"\r\n"))

    def _chain(self, words: list[str], files: dict[str, bytes], prompt: Prompt) -> ChainRun:
        """Commands with `&&` between them: the first that fails is the last."""
        said, status = b"", 0
        for one in split_at(words, "&&"):
            printed, status = yield from self._pipe(one, files, prompt)
            said += printed
            if status:
                break
        return said, status

    def _pipe(self, words: list[str], files: dict[str, bytes], prompt: Prompt) -> ChainRun:
        """Commands with `|` between them; the first may read what is typed (`head`)."""
        piped: bytes = b""
        status = 0
        for one in split_at(words, "|"):
            match one:
                case ["head", "-n", count]:
                    piped, status = (yield from typed_lines(prompt, int(count))), 0
                case ["base64", "-d"]:
                    piped, status = base64.b64decode(piped), 0
                case _:
                    piped, status = self._run(one, files)
        return piped, status

    def _run(self, words: list[str], files: dict[str, bytes]) -> tuple[bytes, int]:
        match words:
            case ["echo", *said]:
                return " ".join(said).encode() + b"\n", 0
            case ["printf", "%s", *said]:
                return "".join(said).encode(), 0
            case ["printf", "%s\\n", *said]:
                return "".join(f"{one}\n" for one in said).encode(), 0
            case ["true" | ":" | "mkdir" | "chmod" | "umask" | "dmesg" | "stty", *_]:
                return b"", 0
            case ["false"]:
                return b"", 1
            case [name, *arguments] if name in self.programs:
                return self.programs[name](arguments, files)
            case ["sync"]:
                self.stored.clear()
                self.stored.update(files)
                self.on_stored(self.stored)
                return b"", 0
        return _file_command(words, files)


def split_at(words: list[str], separator: str) -> list[list[str]]:
    """`a && b c` -> `a` and `b c`."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def typed_lines(prompt: Prompt, count: int) -> Generator[Say | Hear, bytes, bytes]:
    """Lines that a command reads from the terminal."""
    shown, prompt.text = prompt.text, ""
    typed = b""
    for _ in range(count):
        typed += (yield from prompt.line()).encode() + b"\n"
    prompt.text = shown
    return typed


def _file_command(words: list[str], files: dict[str, bytes]) -> tuple[bytes, int]:
    match words:
        case [("cat" | "sha256sum") as name, *paths]:
            return _of_files(name, paths, files)
        case ["rm", *paths]:
            for path in paths:
                files.pop(path, None)
            return b"", 0
        case ["mv", *options, old, new] if old in files and set(options) <= {"-f"}:
            files[new] = files.pop(old)
            return b"", 0
        case ["test", "-e", path]:
            return b"", int(path not in files)
    return f"sh: {words[0]}: not found\n".encode(), 127


def _of_files(name: str, paths: list[str], files: dict[str, bytes]) -> tuple[bytes, int]:
    said, status = b"", 0
    for path in (path for path in paths if not path.startswith("-")):
        if path not in files:
            said, status = said + f"{name}: {path}: No such file or directory\n".encode(), 1
        elif name == "cat":
            said += files[path]
        else:
            said += f"{hashlib.sha256(files[path]).hexdigest()}  {path}\n".encode()
    return said, status
