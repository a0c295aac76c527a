"""One request to the management API on its way to its handler: what is read of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl

from fleetrig.reference_server.platforms.hono.management.json_body import NoJson, read_json
from fleetrig.reference_server.platforms.hono.state.errors import Refused
from fleetrig.reference_server.platforms.hono.state.registry import Registry
from fleetrig.simulator.contract.bodies import body_bytes
from fleetrig.simulator.contract.http import HttpRequest, body_length

APPLICATION_JSON: Final = "application/json"
PARTS: Final = "multipart/form-data"
CLASS_CAST: Final = "class {got} cannot be cast to class io.vertx.core.json.{expected}"
JAVA_CLASSES: Final = {
    dict: "io.vertx.core.json.JsonObject",
    list: "io.vertx.core.json.JsonArray",
    bool: "java.lang.Boolean",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    str: "java.lang.String",
}


@dataclass  # no slots: cached properties
class Call:
    """`values` are the variables of the path by their names, decoded."""

    request: HttpRequest
    registry: Registry
    now_us: int
    values: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def query(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.request.query, keep_blank_values=True, errors="replace"):
            found.setdefault(name, []).append(value)
        return found

    def parameter(self, name: str) -> str | None:
        """A parameter of the query, or else of the path, as Vert.x looks for it."""
        found = self.query.get(name) if self.request.query else None
        return found[0] if found else self.values.get(name)

    @property
    def version(self) -> str | None:
        """`If-Match`; None when it asks for nothing."""
        return self.request.header("if-match") or None

    def optional_object(self) -> dict[str, Any]:
        """The body; nothing at all stands for an empty object, where the generation takes that. Raises Refused."""
        if not body_length(self.request.body) or self._is_form:
            if self.registry.traits.creates_without_body:
                return {}
            raise Refused(400, "missing body", "the request has no body: send {} at least")
        return self.object()

    @property
    def _is_form(self) -> bool:
        """Parts of a form are read by nobody, as if there were none."""
        return (self.request.header("content-type") or "").lower().startswith(PARTS)

    def object(self) -> dict[str, Any]:
        document = self._document()
        if not isinstance(document, dict):
            raise self._wrong_kind(document, "JsonObject", "an object")
        return document

    def array(self) -> list[Any]:
        document = self._document()
        if not isinstance(document, list):
            raise self._wrong_kind(document, "JsonArray", "an array")
        return document

    def _document(self) -> Any:
        self._check_type()
        if not body_length(self.request.body):
            raise Refused(400, "Empty body", "the request has no body")
        try:
            document = read_json(body_bytes(self.request.body))
        except NoJson as none:
            raise Refused(400, "Invalid JSON", f"the body is no JSON: {none}") from None
        if document is None:
            raise Refused(400, "Null body", "the body is null")
        return document

    def _check_type(self) -> None:
        said = (self.request.header("content-type") or "").partition(";")[0].strip()
        if said.lower() != APPLICATION_JSON:
            why = f"a body of type {said[:80]!r}: send Content-Type: {APPLICATION_JSON}"
            raise Refused(400, f"Unsupported Content-Type [{said}]", why)

    def _wrong_kind(self, document: Any, expected: str, said: str) -> Refused:
        got = JAVA_CLASSES[type(document)]
        why = f"the body: expected {said}, got {got.rpartition('.')[2]}"
        if self.registry.traits.crashes:
            return Refused(500, CLASS_CAST.format(got=got, expected=expected), why)
        return Refused(400, "Invalid JSON", why)
