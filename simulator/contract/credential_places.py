"""Where credentials stand, whoever knows them: headers, cookies, URLs, parameters, members of JSON and CBOR.

A mistyped password or the token of another tenant is as secret as the right one, and nobody has told it to us. It is
written as `unknown:3`, the third different value of this process, so that two can be told apart; nothing of it remains.
From 16 characters on its length follows, `unknown:3/32`: a token that was cut shows. Scheme, user and names stay.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Container, Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from typing import Final
from urllib.parse import unquote

from fleetrig.simulator.contract.credential_patterns import (
    ELEMENT,
    HEADER_LINE,
    LIKE,
    MEMBER,
    MEMBER_OF_REPR,
    MEMBER_OF_TEXT,
    NAME_OF_MEMBER,
    NAMES,
    PARAMETER,
    PART,
    PLAIN_MEMBER,
    TOKEN_OF_SCHEME,
)

MOST_NUMBERED: Final = 10_000
LENGTH_FROM_CHARS: Final = 16

NAMED: Final = re.compile(LIKE, re.IGNORECASE)

KIND: Final = r"(?:[a-z]+-)*(?:token|password|secret|basic|key):[0-9a-f]{4}|unknown:[0-9]+(?:/[0-9]+)?|unknown"
MASK: Final = re.compile(KIND)
USER: Final = r"[\w.@+-]{1,32}"
MASKED_CREDENTIALS: Final = re.compile(rf"(?:[A-Za-z-]{{1,20}} +)?(?:{USER}:)?(?:{KIND})")
"""What is masked already, by us or by a server whose trace this is."""

WITH_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z-]{0,19})(\s+)(\S.*)", re.DOTALL)
SCHEME_ALONE: Final = re.compile(r"basic|bearer|digest|negotiate|ntlm|targettoken|gatewaytoken", re.IGNORECASE)
"""A word that stands alone and is none of these may be the secret."""

USERINFO: Final = re.compile(r"(?<=://)([^/?#\s\"'<>\\]+)@")
ENCODED_PARAMETER: Final = re.compile(r"((?:^|(?<=[?&;]))([^=&?#;/\s\"'<>\\]{1,128})=)([^&;\s\"'<>#\\]+)")
SCHEME_FIRST: Final = re.compile(r"(?:basic|bearer|targettoken|gatewaytoken)[ \t]+\S", re.IGNORECASE)
HEADER_NAMED: Final = re.compile(r"authorisation|(?:^|[-_])(?:auth|key|pass|pin)$", re.IGNORECASE)
"""Names that say so in a header alone."""

STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.DOTALL)
VALUE_MEMBER: Final = re.compile(r'("value"\s*:\s*")((?:[^"\\]|\\.)*)', re.DOTALL)
BYTES_NAMES: Final = tuple(name.encode() for name in NAMES)
CBOR_STRINGS: Final = (2, 3)
CBOR_HOLDERS: Final = (4, 5, 6)
"""Arrays, maps and tags: what follows is in them."""
CBOR_OPEN: Final = 31
MOST_NAME_CHARS: Final = 128
ANY: Final = "*"
"""What a check says that asks for any value at all; it is nobody's credential."""


class UnknownCredentials:
    """Numbers the values that it is shown. Keeps digests of them, never the values."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def mask(self, value: str) -> str:
        """`unknown:3` or `unknown:3/32`; what is masked already stays. After many thousands they have no numbers."""
        if not value or value == ANY or MASK.fullmatch(value):
            return value
        digest = sha256(value.encode("utf-8", "surrogatepass")).digest()
        number = self._numbers.get(digest)
        if number is None:
            if len(self._numbers) >= MOST_NUMBERED:
                return "unknown"
            number = self._numbers[digest] = len(self._numbers) + 1
        return f"unknown:{number}" + (f"/{len(value)}" if len(value) >= LENGTH_FROM_CHARS else "")

    # Text

    def hide(self, text: str) -> str:
        """Masks what stands at places of credentials in a text of any kind."""
        if "@" in text and "://" in text:
            text = USERINFO.sub(lambda found: self._userinfo(found[1]) + "@", text)
        if "%" in text and "=" in text:
            text = ENCODED_PARAMETER.sub(self._encoded_parameter, text)
        if not _may_name(text):
            return text
        text = TOKEN_OF_SCHEME.sub(self._token, text)
        if MEMBER.may_be_in(text):
            text = self._hide_json(text)
        text = MEMBER_OF_TEXT.sub(lambda found: found[1] + self._named(found[3], found[4]), text)
        text = MEMBER_OF_REPR.sub(lambda found: found[1] + self.mask(found[2]), text)
        text = HEADER_LINE.sub(lambda found: found[1] + found[2] + found[3] + self.header(found[2], found[4]), text)
        return PARAMETER.sub(lambda found: found[1] + self.mask(found[2]), text)

    def hide_members(self, text: str) -> str:
        """Masks such places in a body that is no JSON."""
        if not _may_name(text):
            return text
        for place in (PLAIN_MEMBER, ELEMENT, PART):
            text = place.sub(self._plain_member, text)
        return text

    def hide_value(self, text: str) -> str:
        """Masks the `value` of a document about one setting, whose name stands in the path."""
        return VALUE_MEMBER.sub(lambda found: found[1] + self.mask(found[2]), text)

    def hide_bytes(self, data: bytes, known: Container[str] = ()) -> bytes:
        """Masks strings behind such names in CBOR by as many asterisks, but for those that have a mask of their own."""
        lower = data.lower()
        if not any(name in lower for name in BYTES_NAMES):
            return data
        masked, is_named = bytearray(data), False
        for begins, ends in _cbor_strings(data):
            text = data[begins:ends].decode("latin-1")
            if is_named and text not in known and not MASK.fullmatch(text):
                masked[begins:ends] = b"*" * (ends - begins)
            is_named = not is_named and is_credential(text[:MOST_NAME_CHARS])
        return bytes(masked)

    # Headers

    def header(self, name: str, value: str) -> str:
        """The value of a header that names a credential."""
        match name.lower():
            case "authorization" | "proxy-authorization":
                return self._authorization(value)
            case "cookie":
                return ";".join(map(self._cookie, value.split(";")))
            case "set-cookie":
                cookie, semicolon, about = value.partition(";")
                return self._cookie(cookie) + semicolon + about
            case _:
                return self._authorization(value) if SCHEME_FIRST.match(value) else self.mask(value)

    def _authorization(self, value: str) -> str:
        if is_masked(value) or SCHEME_ALONE.fullmatch(value):
            return value
        found = WITH_SCHEME.fullmatch(value)
        if found is None:
            return self.mask(value)
        scheme, blank, rest = found.groups()
        return scheme + blank + (self._basic(rest) if scheme.lower() == "basic" else self.mask(rest))

    def _basic(self, encoded: str) -> str:
        try:
            pair = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True).decode("utf-8")
        except ValueError:
            return self.mask(encoded)
        return self._userinfo(pair)

    def _userinfo(self, pair: str) -> str:
        """The user stays, unless that may be the secret."""
        user, colon, password = pair.partition(":")
        return f"{user}{colon}{self.mask(password)}" if _may_show(user, password) else self.mask(pair)

    def _cookie(self, cookie: str) -> str:
        name, equals, value = cookie.partition("=")
        return name + equals + self.mask(value) if equals else self.mask(cookie)

    # JSON

    def _hide_json(self, text: str) -> str:
        """Masks the members of JSON. A name is looked at once, not from each of its characters on."""
        parts, copied = [], 0
        for name in NAME_OF_MEMBER.finditer(text):
            if name.start() < copied or not is_credential(name[1]):
                continue
            if (member := MEMBER.pattern.match(text, name.start())) is not None:
                parts += [text[copied : member.start()], self._member(member)]
                copied = member.end()
        return "".join([*parts, text[copied:]])

    def _member(self, found: re.Match[str]) -> str:
        begins, name, value, text = found.groups()
        if text is not None:
            ends = '"' if value.endswith('"') and len(value) > 1 else ""
            return f'{begins}"{self._named(name, text)}{ends}'
        if value[0] == "[":
            return begins + STRING.sub(lambda one: f'"{self._named(name, one[1])}"', value)
        return f'{begins}"{self.mask(value)}"' if _holds_numbers(name) else found[0]

    def _plain_member(self, found: re.Match[str]) -> str:
        begins, name, value = found.groups()
        is_word = value.strip() in ("null", "true", "false", "~", "|", ">")
        if is_word or MASK.search(found[0]):
            return found[0]
        return begins + (self.header(name, value) if "authorization" in name.lower() else self.mask(value))

    def _encoded_parameter(self, found: re.Match[str]) -> str:
        begins, name, value = found.groups()
        return begins + self.mask(value) if "%" in name and is_credential(unquote(name)) else found[0]

    def _token(self, found: re.Match[str]) -> str:
        is_word = not any(map(str.isdigit, found[2]))
        return found[0] if is_word or MASK.match(found[2]) else found[1] + self.mask(found[2])

    def _named(self, name: str, text: str) -> str:
        """`text` as JSON has it; the same value in a header has the same number."""
        with suppress(ValueError):
            text = json.loads(f'"{text}"')
        return json.dumps(self.header(name, text))[1:-1] if "authorization" in name.lower() else self.mask(text)


@lru_cache(maxsize=512)
def is_credential(name: str) -> bool:
    """True for the name of a credential: of a header, a parameter, a member, or the last part of a path."""
    return NAMED.search(name) is not None


def is_credential_header(name: str, value: str) -> bool:
    """True for a header that holds a credential, by its name or by the scheme that its value begins with."""
    if is_credential(name) or HEADER_NAMED.search(name[-64:]) is not None:
        return True
    return SCHEME_FIRST.match(value) is not None and not name.lower().endswith("authenticate")


def is_masked(credentials: str) -> bool:
    """True when nothing of `Scheme user:password` is left in clear but scheme and user."""
    return MASKED_CREDENTIALS.fullmatch(credentials) is not None


def is_about_credential(target: str) -> bool:
    """True for the path of one setting that is a credential, such as `…/configs/authentication.gatewaytoken.key`."""
    return is_credential(unquote(target.partition("?")[0].rstrip("/").rpartition("/")[2][:200]))


def shown_scheme(authorization: str) -> str:
    """The scheme as a person may see it: a credential that came without one is no scheme."""
    scheme, blank, _ = authorization.partition(" ")
    fits = WITH_SCHEME.match(authorization) if blank else SCHEME_ALONE.fullmatch(scheme)
    return repr(scheme) if fits else f"of {len(scheme)} characters"


def shown_user(user: str, password: str) -> str:
    """A user's name as a person may see it: a token that came in its place is none."""
    return repr(user) if _may_show(user, password) else f"of {len(user)} characters"


def _may_show(user: str, password: str) -> bool:
    return bool(password) and re.fullmatch(USER, user) is not None


def _may_name(text: str) -> bool:
    return any(map(text.lower().__contains__, NAMES))


def _holds_numbers(name: str) -> bool:
    lower = name.lower()
    return "passw" in lower or "secret" in lower or "pwd" in lower


def _cbor_strings(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the strings of CBOR have their content, in order; an item between two makes an empty one (RFC 8949 §3)."""
    at = 0
    while at < len(data):
        major, info = data[at] >> 5, data[at] & 0x1F
        wide = 1 << (info - 24) if 24 <= info <= 27 else 0
        number = int.from_bytes(data[at + 1 : at + 1 + wide], "big") if wide else info
        at += 1 + wide
        if major in CBOR_STRINGS and info != CBOR_OPEN:
            yield at, min(at + number, len(data))
            at += number
        elif major not in CBOR_HOLDERS:
            yield at, at
