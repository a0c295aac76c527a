"""Known secrets masked the slow and plain way: every form is tried at every character."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from fleetrig.simulator.contract.identity import mask
from fleetrig.simulator.contract.masking import BASIC, DECODINGS, LONG_CHARS, RUN, SEAMS, _forms


def plainly_hidden(text: str, secrets: list[str]) -> str:
    """`text` with each of `secrets`, which are tokens, replaced by its mask."""
    masks: dict[str, str] = {}
    for secret in secrets:
        for form in _forms(secret):
            masks.setdefault(form, mask("token", secret))
    return _hidden(text, masks, DECODINGS)


def _hidden(text: str, masks: Mapping[str, str], decodings: int) -> str:
    text = BASIC.sub(lambda found: _basic(found, masks), text)
    text = _replaced(text, masks, [form for form in masks if not RUN.fullmatch(form)])
    return RUN.sub(lambda found: _run(found[0], masks, decodings), text)


def _basic(found: re.Match[str], masks: Mapping[str, str]) -> str:
    try:
        plain = base64.b64decode(found[1], validate=True).decode("utf-8")
    except ValueError:
        return found[0]
    hidden = _hidden(plain, masks, DECODINGS)
    return found[0] if hidden == plain else f"Basic {hidden if RUN.fullmatch(hidden) else mask('basic', plain)}"


def _run(run: str, masks: Mapping[str, str], decodings: int) -> str:
    if run in masks:
        return masks[run]
    run = _replaced(run, masks, [form for form in masks if RUN.fullmatch(form) and len(form) >= LONG_CHARS])
    run = "".join(masks.get(piece, piece) for piece in SEAMS.split(run))
    if decodings and "%" in run and (hidden := _hidden(plain := unquote(run), masks, decodings - 1)) != plain:
        return quote(hidden, safe=":/=", errors="surrogatepass")
    return run


def _replaced(text: str, masks: Mapping[str, str], forms: list[str]) -> str:
    hidden, at = "", 0
    while at < len(text):
        form = max((form for form in forms if text.startswith(form, at)), key=len, default="")
        hidden += masks[form] if form else text[at]
        at += len(form) or 1
    return hidden
