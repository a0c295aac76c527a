"""One REST request on its way to its handler: what is read of it, and who has sent it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from fleetrig.reference_server.platforms.kura.rest.device_calls import DeviceCalls
from fleetrig.reference_server.platforms.kura.state.access_tokens import AccessToken
from fleetrig.reference_server.platforms.kura.state.errors import Refused, illegal
from fleetrig.reference_server.platforms.kura.state.records import AccountRecord, User
from fleetrig.reference_server.platforms.kura.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.http import HttpRequest
from fleetrig.simulator.contract.session import Session

INT: Final = re.compile(r"[+-]?[0-9]{1,10}", re.ASCII)
MOST_INT: Final = (1 << 31) - 1
MOST_PARAMETERS: Final = 1_000


@dataclass  # no slots: cached properties
class Call:
    """`values` are the variables of the path by their names, decoded. `user` is None on open paths only."""

    request: HttpRequest
    session: Session
    now_us: int
    registry: Registry
    calls: DeviceCalls
    values: Mapping[str, str] = field(default_factory=dict)
    user: User | None = None
    token: AccessToken | None = None
    """The login that the request shows; none with HTTP Basic."""
    claimed_user: str = ""
    """The name with which somebody has tried to sign in, for the audit."""
    account: AccountRecord | None = None
    """The account in which it is to be done."""

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    @property
    def operator(self) -> User:
        """Who has signed in, on paths that ask for it."""
        assert self.user is not None, "the route asks for no login"
        return self.user

    @property
    def scope(self) -> AccountRecord:
        """The account in which it is to be done, on paths that name one."""
        assert self.account is not None, "the route names no account"
        return self.account

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        """Parameters of the query, decoded. Raises Refused for too many."""
        found: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                self.request.query, keep_blank_values=True, errors="replace", max_num_fields=MOST_PARAMETERS
            )
        except ValueError:
            raise illegal("query", "…", f"the query has more than {MOST_PARAMETERS:,} parameters") from None
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        return found

    def parameter(self, name: str, default: str = "") -> str:
        """The first of that name."""
        return self.query[name][0] if name in self.query else default

    def number(self, name: str, default: int, least: int = 0) -> int:
        """A whole number of the query. Raises Refused."""
        text = self.parameter(name)
        if not text:
            return default
        if INT.fullmatch(text) is None or not least <= int(text) <= MOST_INT:
            raise illegal(name, text[:40], f"expected a whole number from {least} to {MOST_INT:,}")
        return int(text)

    def flag(self, name: str) -> bool:
        """As Java reads one: everything but `true` is false."""
        return self.parameter(name).lower() == "true"

    @cached_property
    def body(self) -> bytes:
        return body_bytes(self.request.body)

    @property
    def media_type(self) -> str:
        """Of the body, without its parameters."""
        return (self.request.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refused."""
        if self.media_type not in ("", "application/json"):
            why = f"a body of type {self.media_type[:80]!r}: send Content-Type: application/json"
            raise Refused(415, "", "HTTP 415 Unsupported Media Type", why, type="")
        return json_object(self.body)

    def learn_password(self, name: str) -> None:
        """What stands there is masked from now on, whatever becomes of the request."""
        found = self.document.get(name)
        self.registry.learn("password", found if isinstance(found, str) else None)

    @property
    def optional_document(self) -> dict[str, Any]:
        """The same where a body may be missing."""
        return self.document if self.body.strip() else {}


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises Refused for what is no JSON object."""
    try:
        document = json.loads(raw.decode("utf-8").removeprefix("\ufeff"), parse_constant=no_constant)
    except UnicodeDecodeError as error:
        raise unreadable(f"the body is no UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise unreadable("the body is nested too deeply") from None
    except ValueError as error:
        raise unreadable(f"the body is no JSON: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise unreadable("the body is no JSON object")
    return document


def unreadable(why: str) -> Refused:
    """A body that cannot be read (EclipseLinkExceptionMapper)."""
    error = (
        "An error occurred during the parsing of the XML/JSON. Check the correctness of its format. "
        f"Details of the exception thrown: {why}"
    )
    return Refused(400, "", error, why, type="throwableInfo")


def no_constant(word: str) -> Any:
    """NaN and Infinity, which other readers of JSON refuse."""
    raise ValueError(f"{word} is no JSON")
