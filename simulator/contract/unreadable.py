"""Why text cannot be read, in our words; what libraries say of bytes, JSON and patterns is for programmers."""

from __future__ import annotations

import json
import re
from typing import Final

_JSON: Final = {
    "Expecting value": "expected a value",
    "Expecting property name enclosed in double quotes": "expected a key in double quotes",
    "Expecting ':' delimiter": "expected a colon behind the key",
    "Expecting ',' delimiter": "expected a comma, or the end of what began",
    "Extra data": "more comes behind the end of the document",
    "Unterminated string starting at": "a text without an end begins",
    "Invalid control character at": "a control character stands in a text",
    "Illegal trailing comma before end of object": "a comma comes before the closing brace",
    "Illegal trailing comma before end of array": "a comma comes before the closing bracket",
}
"""What Python's reader of JSON says -> what we say."""


def why_no_json(error: ValueError) -> str:
    """`expected a value at line 1, column 5`: of a document that cannot be read as JSON in UTF-8."""
    match error:
        case json.JSONDecodeError():
            if not error.doc.strip():
                return "it is empty"
            said = _JSON.get(error.msg, error.msg[:1].lower() + error.msg[1:])
            return f"{said} at line {error.lineno}, column {error.colno}"
        case UnicodeDecodeError():
            return why_no_text(error)
        case _:
            return str(error)


def why_no_text(error: UnicodeDecodeError) -> str:
    """`it is not UTF-8 text: byte 4 is 0xFF`."""
    return f"it is not UTF-8 text: byte {error.start + 1:,} is 0x{error.object[error.start]:02X}"


def why_no_words(error: ValueError) -> str:
    """Why a command line cannot be taken apart into words."""
    said = str(error)
    match said:
        case "No closing quotation":
            return "a quote is never closed"
        case "No escaped character":
            return "nothing follows the backslash at its end"
        case _:
            return said


def why_no_pattern(error: re.error) -> str:
    """`unterminated character set at character 3`; what `re` says of a regular expression is plain enough."""
    return error.msg if error.pos is None else f"{error.msg} at character {error.pos + 1}"
