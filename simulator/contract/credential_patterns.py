"""How places look where credentials stand in a text: parameters, members, headers, elements, forms.

Most texts hold none, and these patterns are slow: a name may begin at every character. So each has a hint, a plain
search in lower case that finds something wherever the pattern does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NAMES: Final = (
    "token", "secret", "passw", "pwd", "credential", "authorization", "cookie", "sessionid", "apikey", "api-key",
    "api_key", "accesskey", "access-key", "access_key", "privatekey", "private-key", "private_key", "auth-key",
    "auth_key", "x-auth", "passphrase", "bearer", "jwt", "x-amz-signature",
)  # fmt: skip
"""A name with one of these in it, in any case, names a credential."""

LIKE: Final = "|".join(NAMES)
LONGEST_NAME_CHARS: Final = 2 * 64 + max(map(len, NAMES))
"""The longest name that the patterns take."""


@dataclass(frozen=True, slots=True)
class CredentialPattern:
    """A place of credentials."""

    pattern: re.Pattern[str]
    hint: re.Pattern[str]

    def sub(self, replacement: Callable[[re.Match[str]], str], text: str) -> str:
        """`text` with what the pattern finds replaced."""
        return self.pattern.sub(replacement, text) if self.may_be_in(text) else text

    def may_be_in(self, text: str) -> bool:
        """False when the pattern finds nothing. Beyond ASCII there is more than one lower case (`\u017f` is an `s`)."""
        return not text.isascii() or self.hint.search(text.lower()) is not None


def place(pattern: str, hint: str, flags: re.RegexFlag = re.NOFLAG) -> CredentialPattern:
    return CredentialPattern(re.compile(pattern, flags | re.IGNORECASE), re.compile(hint))


PARAMETER: Final = place(
    rf"((?:^|(?<=[?&;\s=,(\"'\[]))[\w.%\[\]-]{{0,64}}?(?:{LIKE})[\w.%\[\]-]{{0,64}}(?:!?=|(?:%21)?%3D)(?:=|%3D)?)"
    r"([^&;\s\"'<>#\\]+)",
    rf"(?:{LIKE})[\w.%\[\]-]{{0,64}}(?:!?=|(?:%21)?%3d)",
)
"""Of a URL, a form, or a query: `token=`, `q=token==`, also inside a text."""

TOKEN_OF_SCHEME: Final = place(
    r"(\b(?:targettoken|gatewaytoken|bearer)(?:[ \t:+]|%20|%09|%3A){1,8})([^\s\"'\\,;<>&]{8,})",
    r"(?:targettoken|gatewaytoken|bearer)[ \t:+%]",
)
"""Wherever it stands, in a header with a mistyped name too; a digit tells a token from a sentence."""

PLAIN_MEMBER: Final = place(
    rf"((?:^|[{{,])[ \t-]{{0,64}}([\w.-]{{0,64}}?(?:{LIKE})[\w.-]{{0,64}})[ \t]*:[ \t]*)"
    r"([^\s\"'{}\[\],][^\r\n,}\"']*)",
    rf"(?:{LIKE})[\w.-]{{0,64}}[ \t]*:",
    re.MULTILINE,
)
"""Of a body in YAML, or in what somebody takes for JSON."""

ELEMENT: Final = place(
    rf"(<(?:\w{{1,20}}:)?([\w.-]{{0,64}}?(?:{LIKE})[\w.-]{{0,64}})(?:\s[^<>]{{0,256}})?>)([^<]+)",
    rf"(?:{LIKE})[\w.-]{{0,64}}[\s>]",
)
PART: Final = place(
    rf"(\bname=\"?([^\"\r\n;]{{0,64}}?(?:{LIKE})[^\"\r\n;]{{0,64}})\"?[^\r\n]{{0,256}}(?:\r?\n[^\r\n]{{1,256}}){{0,4}}\r?\n\r?\n)"
    r"([^\r\n]+)",
    "name=",
)
"""Of a form in parts."""

HEADER_LINE: Final = place(
    r"((?:^|[\"'>*])[ \t]*)((?:proxy-)?authorization|(?:set-)?cookie)(:[ \t]*)([^\r\n\"'\\]+)",
    "(?:authorization|cookie):",
    re.MULTILINE,
)
MEMBER: Final = place(
    rf'("([^"\\]{{0,64}}?(?:{LIKE})[^"\\]{{0,64}})"\s*:\s*(?:\{{\s*"value"\s*:\s*)?)'
    r'("((?:[^"\\]|\\.)*)"?|\[[^\]]*\]?|-?[0-9][0-9.eE+-]*)',
    rf'(?:{LIKE})[^"\\]{{0,64}}"\s*:',
    re.DOTALL,
)
NAME_OF_MEMBER: Final = re.compile(rf'"([^"\\]{{1,{LONGEST_NAME_CHARS}}})(?="\s*:)')
"""Wherever a `MEMBER` begins, and before many others."""

MEMBER_OF_TEXT: Final = place(
    rf'((\\+")([^"\\]{{0,64}}?(?:{LIKE})[^"\\]{{0,64}})\2\s*:\s*\2)(.*?)(?=(?<!\\)\2|$)',
    rf'(?:{LIKE})[^"\\]{{0,64}}\\+"\s*:',
    re.DOTALL,
)
"""JSON that stands as a text in JSON."""

MEMBER_OF_REPR: Final = place(
    rf"('[^'\\]{{0,64}}?(?:{LIKE})[^'\\]{{0,64}}'\s*:\s*')((?:[^'\\]|\\.)*)",
    rf"(?:{LIKE})[^'\\]{{0,64}}'\s*:",
    re.DOTALL,
)
"""As Python shows a document, in findings."""
