"""Secrets are masked by value wherever they turn up in text: headers, bodies, reasons."""

from __future__ import annotations

import re
from typing import Final

from simulator.contract.identity import mask

WORD: Final = re.compile(r"[^\s\"'\\,;<>(){}\[\]&?]+")
"""What a token looks like inside JSON, headers and URLs. Secrets that hold other characters are replaced one by one."""

SEAMS: Final = re.compile(r"([:=/|])")
"""Inside a word (`key=token`, `https://host/token`) the pieces between these are looked at too."""


class Secrets:
    """The secrets of a run: learnt as they come up, masked in everything that is written."""

    def __init__(self) -> None:
        self._masked: dict[str, str] = {}
        self._odd: dict[str, str] = {}

    def learn(self, kind: str, secret: str) -> None:
        """From now on `secret` is written as `kind:<4 hex digits>`. The empty string is no secret."""
        if not secret or secret in self._masked or secret in self._odd:
            return
        home = self._masked if WORD.fullmatch(secret) else self._odd
        home[secret] = mask(kind, secret)

    def hide(self, text: str) -> str:
        """`text` with every known secret replaced."""
        for secret, masked in self._odd.items():
            text = text.replace(secret, masked)
        if not self._masked:
            return text
        return WORD.sub(self._hide_word, text)

    def hide_bytes(self, data: bytes) -> bytes:
        """A binary body with every known secret replaced; it has no words to look up, so each is searched for."""
        for home in (self._odd, self._masked):
            for secret, masked in home.items():
                data = data.replace(secret.encode("utf-8", "surrogatepass"), masked.encode())
        return data

    def _hide_word(self, found: re.Match[str]) -> str:
        word = found.group()
        if word in self._masked:
            return self._masked[word]
        return "".join(self._masked.get(piece, piece) for piece in SEAMS.split(word))
