"""One request on its way through the platform: what is read of it, and who it turns out to be."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from fleetrig.reference_server.platforms.thingsboard.http.errors import JSON, HttpRefusal
from fleetrig.reference_server.platforms.thingsboard.state.records import User
from fleetrig.reference_server.platforms.thingsboard.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS, US_PER_S
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

FORM: Final = "application/x-www-form-urlencoded"
HALF_CHARACTER: Final = "\\ud"
"""How the escape of one begins; of two halves JSON makes a whole."""
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

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    @property
    def now_s(self) -> int:
        return self.now_us // US_PER_S

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def operator(self) -> User:
        """Who has logged in, on paths that ask for it."""
        assert self.user is not None, "the route asks for no login"
        return self.user

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters, decoded; of two with one name the first counts."""
        if not self.request.query:
            return {}
        return dict(reversed(parse_qsl(self.request.query, keep_blank_values=True, errors="replace")))

    def needed(self, name: str, java_type: str) -> str:
        """A parameter of the query that has to be there. Raises 400."""
        if name not in self.query:
            message = f"Required request parameter '{name}' for method parameter type {java_type} is not present"
            raise HttpRefusal(400, message, reason=f"the query has no {name}")
        return self.query[name]

    @cached_property
    def text(self) -> str:
        """The body as text. Raises 400 when there is none; a form has lost its body on the way (S95)."""
        if self._is_form:
            raise HttpRefusal(500, "The body of a form was read as its parameters", reason=FORM_REASON)
        text = body_bytes(self.request.body).decode("utf-8", "replace")
        if not text:
            raise HttpRefusal(400, "Required request body is missing", reason="the request has no body")
        return text

    @property
    def optional_text(self) -> str:
        """The same where a body may be missing."""
        return self.text if self.request.body and not self._is_form else ""

    @cached_property
    def document(self) -> Any:
        """The body as JSON, as the operator's API reads it. Raises 400."""
        try:
            found = json.loads(self.text, parse_float=_finite, parse_constant=_finite)
            return _without_halves(found) if HALF_CHARACTER in self.text.lower() else found
        except (ValueError, RecursionError) as error:
            raise HttpRefusal(400, "JSON parse error", reason=f"the body is no JSON: {error}") from None

    @property
    def document_or_none(self) -> Any:
        """The same, None for what is no JSON."""
        try:
            return self.document
        except HttpRefusal:
            return None

    @property
    def object(self) -> dict[str, Any]:
        """The same where it has to be an object, and be said to be JSON. Raises 400, 415."""
        self._check_json()
        if not isinstance(self.document, dict):
            what = type(self.document).__name__
            raise HttpRefusal(400, "JSON parse error", reason=f"the body: expected an object, got {what}")
        return self.document

    def _check_json(self) -> None:
        """A body has to say that it is JSON. Raises 415."""
        sent = (self.request.header("content-type") or OCTETS).partition(";")[0].strip().lower()
        if self.request.body and sent != JSON and not (sent.startswith("application/") and sent.endswith("+json")):
            message = f"Content-Type '{sent}' is not supported"
            raise HttpRefusal(415, message, reason=f"a body of type {sent[:100]}: send Content-Type: {JSON}")

    @property
    def _is_form(self) -> bool:
        return (self.request.header("content-type") or "").lower().startswith(FORM)


def _finite(word: str) -> float:
    number = float(word)
    if not math.isfinite(number):
        raise ValueError(f"{word[:20]} is no number that can be kept")
    return number


def _without_halves(document: Any) -> Any:
    """Half a character beyond the first 65,536 cannot be kept: the real server's database has a question mark then."""
    return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))


FORM_REASON: Final = (
    f"a body sent as {FORM} is lost: the container takes it for parameters; send Content-Type: application/json"
)
