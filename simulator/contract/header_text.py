"""Text in HTTP headers: how all of us put a credential on the wire, and what cannot be put there.

A header value is Latin-1 without control characters (RFC 9110 §5.5; servers on Tomcat and Netty read it so, and refuse
the C1 controls as well). Blanks at its ends are no part of it. User and password of HTTP Basic travel in Base64, as
UTF-8 (RFC 7617 §2.1).
"""

from __future__ import annotations

import base64
import unicodedata
from typing import Final

ENCODING: Final = "latin-1"
BLANKS: Final = " \t"


def why_no_header_text(text: str) -> str:
    """Why no header can carry the text as it is, a phrase such as `holds a line end`; empty when one can.

    Nothing of the text but one character is repeated, since it is often a secret.
    """
    if (wrong := next((char for char in text if _is_control(char)), None)) is not None:
        return "holds a line end" if wrong in "\r\n" else f"holds a control character (U+{ord(wrong):04X})"
    if (wrong := next((char for char in text if char > "\xff"), None)) is not None:
        return f"holds {_shown(wrong)}, and headers are Latin-1"
    if text != text.strip(BLANKS):
        return f"{'begins' if text[0] in BLANKS else 'ends'} with a blank, which HTTP takes away"
    return ""


def header_bytes(text: str) -> bytes:
    """The bytes of a header value. Raises ValueError for what is not Latin-1."""
    return text.encode(ENCODING)


def why_no_basic_account(user: str, password: str) -> str:
    """Why HTTP Basic cannot carry the account, a phrase; empty when it can (RFC 7617 §2)."""
    if ":" in user:
        return "the user has a colon in its name, which a login cannot carry"
    for what, text in (("user", user), ("password", password)):
        if any(_is_control(char) or char == "\t" for char in text):
            return f"the {what} holds a control character or a line end"
        if any("\ud800" <= char <= "\udfff" for char in text):
            return f"the {what} is no text: it holds bytes that are not UTF-8"
    return ""


def basic_authorization(user: str, password: str) -> str:
    """The value of an Authorization header."""
    return f"Basic {basic_credentials(user, password)}"


def basic_credentials(user: str, password: str) -> str:
    """What stands there behind `Basic`: all that travels of a password."""
    return base64.b64encode(f"{user}:{password}".encode("utf-8", "surrogateescape")).decode("ascii")


def _is_control(char: str) -> bool:
    return unicodedata.category(char) == "Cc" and char != "\t"


def _shown(char: str) -> str:
    return f"“{char}” (U+{ord(char):04X})" if char.isprintable() else f"U+{ord(char):04X}"
