"""JSON as Jackson reads it for Vert.x: comments are allowed, what stands behind a document is not.

Of two members with one name the last counts. UTF-16 and UTF-32 are told by their first bytes, as Jackson does it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

MOST_NESTED: Final = 500
"""Jackson takes 1,000; our own reader and writer would come to the end of their stack."""
MOST_DIGITS: Final = 1_000
"""As Jackson's (StreamReadConstraints)."""
STRING_OR_COMMENT: Final = re.compile(r'("(?:[^"\\]|\\.)*")|/\*.*?\*/|//[^\r\n]*', re.DOTALL)


class NoJson(ValueError):
    """The text is none; says why, for the trace."""


def read_json(raw: bytes) -> Any:
    """Raises NoJson."""
    try:
        text = raw.decode(json.detect_encoding(raw), "surrogatepass").removeprefix("\ufeff")
        if max(raw.count(b"["), raw.count(b"{")) > MOST_NESTED:
            _check_depth(text)
        if "/" in text:
            text = STRING_OR_COMMENT.sub(lambda found: found[1] or " ", text)
        return DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise NoJson(f"the text is not {error.encoding.upper()} at byte {error.start}") from None
    except RecursionError:
        raise NoJson(f"it is nested deeper than {MOST_NESTED} times") from None
    except ValueError as error:
        raise NoJson(str(error)) from None


def _check_depth(text: str) -> None:
    depth = 0
    for letter in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (letter in "[{") - (letter in "]}")
        if depth > MOST_NESTED:
            raise NoJson(f"it is nested deeper than {MOST_NESTED} times")


def _number(word: str) -> float | str:
    """Java's double; one that is too large is written as a word later."""
    _check_digits(word)
    number = float(word)
    return number if math.isfinite(number) else f"{'-' if number < 0 else ''}Infinity"


def _whole(word: str) -> int:
    _check_digits(word)
    return int(word)


def _check_digits(word: str) -> None:
    if len(word) > MOST_DIGITS:
        raise NoJson(f"a number has more than {MOST_DIGITS} digits")


def _no_constant(word: str) -> Any:
    raise NoJson(f"{word} is no JSON")


DECODER: Final = json.JSONDecoder(parse_float=_number, parse_int=_whole, parse_constant=_no_constant)
