"""How the texts of start-up properties are read. Each raises ValueError: what was expected."""

from __future__ import annotations

import re
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.forwarded import Forwarding
from fleetrig.reference_server.platforms.hawkbit.state.polling import parse_duration, parse_polling_time
from fleetrig.reference_server.platforms.hawkbit.state.settings import UNLIMITED

MOST_FIRST_ID: Final = 2_000_000_000
TRUE: Final = frozenset({"true", "on", "yes", "1"})
CONTEXT_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+", re.ASCII)
FALSE: Final = frozenset({"false", "off", "no", "0"})


def as_text(text: str) -> str:
    return text


def as_numbered_header(text: str) -> str:
    """As releases before 1.0 wrote it: `X-Ssl-Issuer-Hash-%d`."""
    if not text.endswith("-%d"):
        raise ValueError("expected the name of a header that ends in -%d")
    return text.removesuffix("-%d")


def as_yes_no(text: str) -> bool:
    if text.strip().lower() not in TRUE | FALSE:
        raise ValueError("expected true or false")
    return text.strip().lower() in TRUE


def as_off(text: str) -> bool:
    """For a way that the server once had."""
    if as_yes_no(text):
        raise ValueError("expected false: no server since 0.8 lets anybody in without a credential")
    return False


def as_count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ValueError("expected a whole number, 0 or more")
    return int(text)


def as_first_id(text: str) -> int:
    """Clients keep ids in 32 bits, so there must be room above it."""
    number = as_count(text) if len(text) < 20 else 0
    if not 1 <= number <= MOST_FIRST_ID:
        raise ValueError(f"expected a whole number from 1 to {MOST_FIRST_ID:,}")
    return number


def as_quota_count(text: str) -> int:
    """0 or less is no limit at all."""
    try:
        number = int(text.strip())
    except ValueError:
        raise ValueError("expected a whole number; 0 or less for no limit") from None
    return number if number > 0 else UNLIMITED


def as_forwarding(text: str) -> Forwarding:
    try:
        return Forwarding(text.strip().lower())
    except ValueError:
        raise ValueError(f"expected one of {', '.join(Forwarding).upper()}") from None


def as_context_path(text: str) -> str:
    """As the real server refuses to start with others."""
    path = text.strip()
    if path and (not path.startswith("/") or path.endswith("/") or CONTEXT_PATH.fullmatch(path) is None):
        raise ValueError("expected nothing, or a path that starts with / and does not end in it, such as /hb")
    return path


def as_any_context_path(text: str) -> str:
    path = text.strip()
    return path if path.startswith("/") and path != "/" else f"/{path}" if path.strip("/") else ""


def as_duration(text: str) -> str:
    if parse_duration(text.strip()) < 0:
        raise ValueError("a duration cannot be negative")
    return text.strip()


def as_polling_time(text: str) -> str:
    parse_polling_time(text)
    return text


def as_names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def as_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


def as_seconds(text: str) -> float:
    return as_count(text) / 1000
