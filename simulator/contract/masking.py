"""Secrets are masked in all that is written: by value wherever they turn up, and by place (`credential_places.py`).

Those that were learnt are found in the forms in which they travel: as they are, escaped in JSON (also in JSON within
JSON, as in a trace line), percent-encoded, and inside the Base64 of `Authorization: Basic`. The time that it takes
grows with the text, hardly with the number of secrets.

A secret of fewer than eight characters is masked only where it stands by itself (`admin:abc`, `key=abc`, `"abc"`):
a password `on` must not make every `connection` unreadable.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from fleetrig.simulator.contract.credential_places import (
    UnknownCredentials,
    is_about_credential,
    is_credential_header,
    is_masked,
)
from fleetrig.simulator.contract.identity import mask
from fleetrig.simulator.contract.known_texts import KnownTexts

LONG_CHARS: Final = 8
"""From here on a secret is found wherever it stands."""

ENDS: Final = r"\s\"'\\,;<>(){}\[\]&?"
"""What a token never holds inside JSON, headers and URLs."""

RUN: Final = re.compile(f"[^{ENDS}]+")
"""What a token looks like there. A secret of such characters alone lies within one run."""

SEAMS: Final = re.compile(r"([:=/|@#%])")
"""Inside a run, what stands between these stands by itself."""

BETWEEN_PIECES: Final = re.compile(f"[{ENDS}:=/|@#%]")
"""What ends a run, and the seams."""

ENCODED: Final = re.compile("%[0-9A-Fa-f]{2}")

DECODINGS: Final = 2
"""A URL within a URL is percent-encoded twice; more levels do not occur."""

MOST_ENCODED: Final = 9
"""So many characters of a URL within a URL may stand for one."""

BASIC: Final = re.compile(r"(?i:\bbasic) +([A-Za-z0-9+/]{4,}={0,2})")


KEPT_TEXTS: Final = 4_096
KEPT_CHARS: Final = 1_024

K = TypeVar("K")
S = TypeVar("S", str, bytes)


class Secrets:
    """The secrets of a run: learnt as they come up, masked in everything that is written."""

    def __init__(self) -> None:
        self._masks: dict[str, str] = {}
        """Every form of every secret."""
        self._longest_chars = 0
        self._long = KnownTexts()
        self._short: set[str] = set()
        """Of each short form a piece, empty if it is nothing but seams. Where none of these stands is no short form."""
        self._odd = KnownTexts()
        """Forms with characters that end a run, however short they are."""
        self._unknown = UnknownCredentials()
        self._hidden: dict[str, str] = {}
        """Short texts come again and again: paths, names, the headers of every poll."""
        self._hidden_bytes: dict[bytes, bytes] = {}
        """What a device has sent the server has received."""
        self._headers: dict[tuple[str, str], str] = {}
        self._new: dict[str, str] = {}
        """Secret -> its kind, of those that came up since something was written last."""

    @property
    def longest_chars(self) -> int:
        """No secret takes more of a text, in whatever form."""
        self._take_in()
        return self._longest_chars

    @property
    def forms(self) -> int:
        """How many forms of secrets are known; what was hidden when there were as many would be hidden the same way."""
        self._take_in()
        return len(self._masks)

    def learn(self, kind: str, secret: str) -> None:
        """From now on `secret` is written as `kind:<4 hex digits>`. The empty string is no secret.

        Servers learn one with each device, and seldom write: the work is done when something is written.
        """
        if secret and secret not in self._masks:
            self._new.setdefault(secret, kind)

    def _take_in(self) -> None:
        if self._new:
            new, self._new = self._new, {}
            for secret, kind in new.items():
                if secret not in self._masks:
                    self._add(kind, secret)

    def _add(self, kind: str, secret: str) -> None:
        masked = mask(kind, secret)
        self._hidden.clear()
        self._hidden_bytes.clear()
        self._headers.clear()
        for form in _forms(secret):
            self._masks.setdefault(form, masked)
            self._longest_chars = max(self._longest_chars, len(form) * MOST_ENCODED)
            if not RUN.fullmatch(form):
                self._odd.add(form)
            elif len(form) >= LONG_CHARS:
                self._long.add(form)
            else:
                self._short.add(max(BETWEEN_PIECES.split(form), key=len))

    def hide(self, text: str) -> str:
        """`text` with every known secret replaced, and whatever stands where credentials stand."""
        self._take_in()
        hidden = self._hidden.get(text)
        if hidden is None:
            hidden = self._unknown.hide(self.hide_known(text))
            _keep(self._hidden, text, hidden)
        return hidden

    def hide_known(self, text: str) -> str:
        """`text` with every known secret replaced."""
        self._take_in()
        return self._hide(text, DECODINGS) if self._masks else text

    def hide_header(self, name: str, value: str) -> str:
        """The value of a header; `Authorization`, cookies and others that hold credentials never in clear."""
        if not is_credential_header(name, value):
            return self.hide(value)
        self._take_in()
        hidden = self._headers.get((name, value))
        if hidden is None:
            known = self.hide_known(value)
            hidden = known if is_masked(known) else self._unknown.header(name, value)
            _keep(self._headers, (name, value), hidden)
        return hidden

    def hide_credential(self, value: str) -> str:
        """What is a credential by its place, such as the password of an MQTT session."""
        self._take_in()
        return self._masks.get(value) or self._unknown.mask(value)

    def hide_body(self, text: str, target: str) -> str:
        """A body; of a request about one setting that is a credential its value too."""
        hidden = self._unknown.hide_members(self.hide(text))
        return self._unknown.hide_value(hidden) if is_about_credential(target) else hidden

    def hide_bytes(self, data: bytes) -> bytes:
        """A binary body, in the same way."""
        self._take_in()
        hidden = self._hidden_bytes.get(data)
        if hidden is None:
            text = self._unknown.hide_bytes(data, self._masks).decode("latin-1")
            hidden = self.hide_known(text).encode("latin-1")
            _keep(self._hidden_bytes, data, hidden)
        return hidden

    def _hide(self, text: str, decodings: int) -> str:
        if not text.isascii() or "basic" in text.lower():
            text = BASIC.sub(self._hide_basic, text)
        text = self._odd.replaced(text, self._masks)
        if self._short and self._may_hold_short(text):
            return RUN.sub(lambda found: self._hide_run(found[0], decodings), text)
        text = self._long.replaced(text, self._masks)
        return RUN.sub(lambda found: self._hide_encoded(found[0], decodings), text) if _is_encoded(text) else text

    def _may_hold_short(self, text: str) -> bool:
        if "" in self._short or _is_encoded(text):
            return True
        return not self._short.isdisjoint(BETWEEN_PIECES.split(text))

    def _hide_basic(self, found: re.Match[str]) -> str:
        try:
            plain = base64.b64decode(found[1], validate=True).decode("utf-8")
        except ValueError:
            return found[0]
        hidden = self.hide_known(plain)
        if hidden == plain:
            return found[0]
        # User names may hold what would break the line of JSON that this text can be part of.
        return f"Basic {hidden if RUN.fullmatch(hidden) else mask('basic', plain)}"

    def _hide_run(self, run: str, decodings: int) -> str:
        if run in self._masks:
            return self._masks[run]
        run = self._long.replaced(run, self._masks)
        run = "".join(self._masks.get(piece, piece) for piece in SEAMS.split(run))
        return self._hide_encoded(run, decodings)

    def _hide_encoded(self, run: str, decodings: int) -> str:
        if decodings and "%" in run and (hidden := self._hide(plain := unquote(run), decodings - 1)) != plain:
            return quote(hidden, safe=":/=", errors="surrogatepass")
        return run


def _is_encoded(text: str) -> bool:
    return "%" in text and ENCODED.search(text) is not None


def _keep(kept: dict[K, S], key: K, hidden: S) -> None:
    if len(hidden) <= KEPT_CHARS:
        if len(kept) >= KEPT_TEXTS:
            kept.clear()
        kept[key] = hidden


def _forms(secret: str) -> set[str]:
    """A secret as it is, as UTF-8 that was read as Latin-1, and as JSON writes each, once and twice."""
    if secret.isascii() and secret.isalnum():
        return {secret}  # nothing writes letters and digits in another form
    plain = {secret, secret.encode("utf-8", "surrogatepass").decode("latin-1")}
    once = {text for form in plain for text in _in_json(form)}
    return plain | once | {text for form in once for text in _in_json(form)}


def _in_json(text: str) -> Iterator[str]:
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
