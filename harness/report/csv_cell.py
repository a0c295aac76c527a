"""Text in tables that people open with a spreadsheet."""

from __future__ import annotations

from typing import Final

FORMULA_BEGINS: Final = ("=", "+", "-", "@", "\t", "\r")


def plain_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: one that begins like it gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA_BEGINS) else text
