"""One request on its way through the platform: what a handler may know and ask."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from fleetrig.reference_server.platforms.hawkbit.request.plain_path import decoded_where_plain
from fleetrig.reference_server.platforms.hawkbit.request.request_documents import most_values, read_document
from fleetrig.reference_server.platforms.hawkbit.state.errors import forbidden, not_readable
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.clock import US_PER_MS
from fleetrig.simulator.contract.http import HttpRequest, body_length, split_url
from fleetrig.simulator.contract.session import Session

if TYPE_CHECKING:
    from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
    from fleetrig.reference_server.platforms.hawkbit.state.repository import Repository, TenantConfig
    from fleetrig.reference_server.platforms.hawkbit.state.settings import Settings

LONG_MAX = 2**63 - 1
INT_MAX = 2**31 - 1
IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")
IPV6 = re.compile(r"(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}")
HEXADECIMAL = re.compile(r"(-?)(?:0[xX]|#)([0-9a-fA-F]{1,17})", re.ASCII)
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)


class Call:
    """A request with what the filters before the handler found out about it.

    `tenant` is the tenant's name as stored (upper case), `tenant_in_path` as the device spelt it (links echo it).
    `user` and `permissions` are those of a Mgmt account; for a device `user` is its controllerId.
    """

    def __init__(self, request: HttpRequest, session: Session, now_us: int, repo: Repository) -> None:
        self.request = request
        self.session = session
        self._now_us = now_us
        self.repo = repo
        self.path = request.target.partition("?")[0]
        self.segments = decoded_where_plain(self.path).split("/")[1:]
        """As sent, and not decoded where that would matter; one at the end is empty when the path ends in a slash."""
        # Of two headers with one name the first counts, so the later ones are put in before it.
        self.headers = {name.lower(): value for name, value in reversed(request.headers)}
        self.address = client_address(self.headers, session.peer, repo.address_header)
        self.tenant = ""
        self.tenant_in_path = ""
        self.user = ""
        self.permissions: frozenset[str] = frozenset()
        self.device = ""
        self._config: TenantConfig | None = None

    @property
    def settings(self) -> Settings:
        return self.repo.settings

    @property
    def traits(self) -> Traits:
        """What the generation that is played does otherwise than the newest."""
        return self.repo.traits

    @property
    def now_us(self) -> int:
        """Whoever asks for it gives an answer that may be another one later, so it is not kept (`kept_answers`)."""
        if self.repo.notes is not None:
            self.repo.notes.spoil()
        return self._now_us

    @property
    def now_ms(self) -> int:
        return self.now_us // US_PER_MS

    def note_poll(self) -> None:
        """The device has called just now."""
        self.repo.polled(self.tenant, self.device, self._now_us // US_PER_MS)

    @property
    def base(self) -> str:
        """Scheme and authority of the request: every link begins with it, unchecked; a usual port is left out (§0)."""
        origin = self.request.origin
        return origin.removesuffix(":443" if origin.startswith("https:") else ":80")

    @property
    def config(self) -> TenantConfig:
        """The tenant's configuration as it was when first asked for."""
        if self._config is None:
            self._config = self.repo.config(self.tenant)
        return self._config

    @property
    def device_base(self) -> str:
        """What a device's links begin with; the tenant as spelt by the device."""
        return f"{self.base}/{encoded(self.tenant_in_path)}/controller/v1/{encoded(self.device)}"

    @property
    def origin(self) -> str:
        """What links to files go by: without the prefix that a proxy announced."""
        return split_url(self.base)[0]

    @property
    def accept(self) -> str | None:
        """What the client accepts. Unlike other headers, `Accept` counts as often as it is there."""
        given = [value for name, value in self.request.headers if name.lower() == "accept"]
        return ", ".join(given) if given else None

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters, decoded; of two with one name the first counts."""
        return dict(reversed(parse_qsl(self.request.query, keep_blank_values=True, errors="replace")))

    @cached_property
    def optional_json(self) -> Any:
        """The request body as a document (JSON or CBOR), None for no body and for `null`. Raises not readable."""
        content_type = self.headers.get("content-type", "").lower()
        return read_document(body_bytes(self.request.body), content_type, most_values(self.path))

    @property
    def json(self) -> Any:
        """The same where a body is asked for. Raises not readable."""
        if self.optional_json is None:
            raise not_readable("the body is empty or null")
        return self.optional_json

    @property
    def array(self) -> Any:
        """The body where an array is asked for. One value counts as an array of one from 1.1.0 on, not before."""
        if not self.traits.one_counts_as_array and not isinstance(self.json, list):
            raise not_readable("the body: expected an array; a single value counts as one from 1.1.0 on")
        return self.json

    @property
    def has_body(self) -> bool:
        return body_length(self.request.body) > 0

    @property
    def announces_body(self) -> bool:
        """By its headers alone (as Spring does): the body may still be on its way."""
        length = self.headers.get("content-length", "0")
        return "transfer-encoding" in self.headers or length.strip("0") != ""

    @property
    def done_status(self) -> int:
        """The status of a change or deletion that answers nothing: 204, up to 0.9 200."""
        return self.traits.done_status

    def has(self, permission: str) -> bool:
        return permission in self.permissions

    def may(self, permission: str) -> bool:
        """As `has`; a device is not asked."""
        return bool(self.device) or permission in self.permissions

    def need(self, permission: str) -> None:
        """Raises 403 when the account lacks the right."""
        if permission not in self.permissions:
            raise forbidden(permission, self.user)

    def joined(self, name: str) -> str | None:
        """A query parameter that is text: given more than once, all of them with commas between, as Spring does."""
        pairs = parse_qsl(self.request.query, keep_blank_values=True, errors="replace")
        given = [text for key, text in pairs if key == name]
        return ",".join(given) if given else None

    def integer(self, name: str, default: int) -> int:
        """A query parameter that is a Java int; text or too large a number is not readable (S22)."""
        text = self.query.get(name, "")
        return parse_parameter(text, INT_MAX, f"query parameter {name}") if text.strip() else default

    def boolean(self, name: str, default: bool = False) -> bool:
        """A query parameter that is a boolean in one of Spring's spellings."""
        text = self.query.get(name, "").lower()
        if not text:
            return default
        if text in {"true", "on", "yes", "1"}:
            return True
        if text in {"false", "off", "no", "0"}:
            return False
        raise not_readable(f"query parameter {name}: expected true or false, got {text[:50]!r}")


def client_address(headers: dict[str, str], peer: str, header_name: str) -> str:
    """The first IP address in the forwarding header (named in lower case), trusted always; without one the peer.

    IPv4 wins, and IPv6 is only known when written out (`IpUtil.java`).
    """
    forwarded = headers.get(header_name)
    if forwarded is None:
        return peer
    found = IPV4.search(forwarded) or IPV6.search(forwarded)
    return peer if found is None else found.group()


def encoded(segment: str) -> str:
    """A path segment as the server writes it: everything but RFC 3986 unreserved characters percent-encoded (§0)."""
    return segment if UNRESERVED.fullmatch(segment) else quote(segment, safe="", errors="replace")


def parse_integer(text: str, most: int, what: str) -> int:
    """A Java int or long in decimal. Raises not readable otherwise."""
    digits = text[1:] if text[:1] in {"-", "+"} else text
    if digits.isascii() and digits.isdigit() and len(digits) < 20 and -most - 1 <= (number := int(text)) <= most:
        return number
    raise not_readable(f"{what}: expected a whole number, got {text[:50]!r}")


def parse_parameter(text: str, most: int, what: str) -> int:
    """The same in a path or query: also hexadecimal after `0x` or `#`, and blanks do not matter, not even a `+`."""
    bare = "".join(text.split())
    found = HEXADECIMAL.fullmatch(bare)
    return parse_integer(f"{found[1]}{int(found[2], 16)}" if found else bare, most, what)
