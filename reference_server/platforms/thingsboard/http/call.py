"""One request on its way through the platform: what is read of it, and who it turns out to be."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from fleetrig.reference_server.platforms.thingsboard.http.errors import JSON, HttpRefusal, crash
from fleetrig.reference_server.platforms.thingsboard.http.media_types import MediaType, NoMediaType, media_type
from fleetrig.reference_server.platforms.thingsboard.state.records import User
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

DEVICES: Final = "/api/v1/"
"""Below it devices call; all else is the operator's."""
FORM: Final = "application/x-www-form-urlencoded"
PARTS: Final = "multipart/form-data"
HALF_CHARACTER: Final = "\\ud"
"""How the escape of one begins; of two halves JSON makes a whole."""
NO_PARAMETERS: Final[Mapping[str, str]] = {}
OCTETS: Final = "application/octet-stream"
"""What a body is that does not say what it is."""


@dataclass  # no slots: cached properties
class Call:
    """`user` is who has logged in, None on open paths."""

    request: HttpRequest
    session: Session
    now_us: int
    registry: Registry
    user: User | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    """Of the token that the caller has shown."""
    path: str = field(init=False)
    query: Mapping[str, str] = field(init=False)
    """Query parameters, decoded; of two with one name the first counts."""

    def __post_init__(self) -> None:
        self.path, _, query = self.request.target.partition("?")
        self.query = _parameters(query) if query else NO_PARAMETERS

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    @property
    def now_s(self) -> int:
        return self.now_us // US_PER_S

    @property
    def operator(self) -> User:
        """Who has logged in, on paths that ask for it."""
        assert self.user is not None, "the route asks for no login"
        return self.user

    @property
    def is_of_device(self) -> bool:
        return self.path.startswith(DEVICES)

    def needed(self, name: str, java_type: str) -> str:
        """A parameter of the query that has to be there. Raises 400, 500 over the operator's API."""
        if name not in self.query:
            message = f"Required request parameter '{name}' for method parameter type {java_type} is not present"
            raise HttpRefusal(400 if self.is_of_device else 500, message, reason=f"the query has no {name}")
        return self.query[name]

    @property
    def text(self) -> str:
        """The body as text. Raises 400 when there is none, 500 over the operator's API."""
        if not (text := self.optional_text):
            status = 400 if self.is_of_device else 500
            raise HttpRefusal(status, "Required request body is missing", reason="the request has no body")
        return text

    @property
    def optional_text(self) -> str:
        """The same where a body may be missing. Parts are none; a form is its parameters, written anew (S95)."""
        sent = self.content_type
        if sent.essence == PARTS:
            return ""
        text = body_bytes(self.request.body).decode(sent.parameters.get("charset", "utf-8"), "replace")
        return urlencode(parse_qsl(text, keep_blank_values=True)) if sent.essence == FORM else text

    @property
    def form_hint(self) -> str:
        """What to change when a body cannot be read since it was sent as a form."""
        is_form = self.content_type.essence == FORM
        return f"; it was sent as {FORM}, which is read as parameters: send Content-Type: {JSON}" if is_form else ""

    @cached_property
    def content_type(self) -> MediaType:
        """What the body says it is. Raises 415 for what is no type, 500 for one that is not finished."""
        text = self.request.header("content-type") or OCTETS
        try:
            sent = media_type(text)
        except NoMediaType:
            raise self._no_type(text) from None
        if not sent.is_concrete or (sent.essence == PARTS and "boundary" not in sent.parameters):
            status = 500 if self.is_of_device or sent.is_concrete else 400
            raise HttpRefusal(status, f"Invalid Content-Type '{text[:100]}'", reason="the body has no definite type")
        return sent

    def _no_type(self, text: str) -> HttpRefusal:
        reason = f"a body of type {text[:100]}: send Content-Type: {JSON}"
        return HttpRefusal(415 if self.is_of_device else 500, f'Invalid mime type "{text[:100]}"', reason=reason)

    @cached_property
    def document(self) -> Any:
        """The body as JSON, as the operator's API reads it: what stands behind it does not count. Raises 500."""
        try:
            return _document(self.text.removeprefix("\ufeff"))
        except (ValueError, RecursionError) as error:
            raise crash("JSON parse error", reason=f"the body is no JSON: {error}") from None

    @property
    def document_or_none(self) -> Any:
        """The same as the login's filter reads it, which looks at no type but for the container's own: a form and
        parts are gone. None for what is no JSON."""
        sent = (self.request.header("content-type") or "").partition(";")[0].strip().lower()
        try:
            return (
                None if sent in (FORM, PARTS) else _document(body_bytes(self.request.body).decode("utf-8", "replace"))
            )
        except (ValueError, RecursionError):
            return None

    @property
    def object(self) -> dict[str, Any]:
        """The same where it has to be an object, and be said to be JSON. Raises 400, 500."""
        self._check_json()
        if not isinstance(self.document, dict):
            what = type(self.document).__name__
            raise crash("JSON parse error", reason=f"the body: expected an object, got {what}")
        return self.document

    def _check_json(self) -> None:
        """A body has to say that it is JSON. Raises 500."""
        sent = self.content_type.essence
        if self.request.body and sent != JSON and not (sent.startswith("application/") and sent.endswith("+json")):
            message = f"Content-Type '{sent}' is not supported"
            raise crash(message, reason=f"a body of type {sent[:100]}: send Content-Type: {JSON}")


def _parameters(query: str) -> Mapping[str, str]:
    return dict(reversed(parse_qsl(query, keep_blank_values=True, errors="replace")))


def _document(text: str) -> Any:
    """Raises ValueError, RecursionError."""
    text = text.lstrip(JSON_BLANKS)
    found, _ = DECODER.raw_decode(text)
    return _without_halves(found) if HALF_CHARACTER in text.lower() else found


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{word[:20]} is no number that can be kept")
    return number


def _without_halves(document: Any) -> Any:
    """Half a character beyond the first 65,536 cannot be kept: the real server's database has a question mark then."""
    return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


DECODER: Final = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
JSON_BLANKS: Final = " \t\r\n"
