"""How names of accounts and application ids are written: each is one level of a topic."""

from __future__ import annotations

import re
from typing import Final

ACCOUNT_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{3,255}", re.ASCII)
"""Kapua's pattern of names of accounts and users."""
ACCOUNT_NAME_FORM: Final = "3 to 255 letters, digits, _ and -"
