"""Mistakes in paths, formats and odd requests (rows S122, S126, S136, S138, S139)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from fleetrig.reference_server.platforms.hawkbit import platform
from fleetrig.reference_server.platforms.hawkbit.ddi import deployment as ddi_deployment
from fleetrig.reference_server.platforms.hawkbit.mgmt import config_values
from fleetrig.reference_server.platforms.hawkbit.request import error_replies, firewall, replies, routing
from fleetrig.reference_server.platforms.hawkbit.state.errors import HawkbitError, bare, config_value_invalid
from fleetrig.simulator.contract.http import HttpRequest, HttpResponse
from tests.harness.conformance.code_changes import being, giving, instead
from tests.harness.platforms.hawkbit.conformance.mutants import answering, mutant, status_for, with_header


def bare_when_odd(original: Any, text: str, most: int, what: str) -> Any:
    try:
        return original(text, most, what)
    except HawkbitError:
        raise bare(404, what) from None


def no_minus(original: Any, text: str) -> Any:
    if text.startswith("-"):
        raise config_value_invalid("no minus")
    return original(text)


def no_numbers(original: Any, value: Any, name: str) -> Any:
    if not isinstance(value, str):
        raise config_value_invalid("no text")
    return original(value, name)


def links_in_configs(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    if not request.path.endswith("/system/configs") or request.method != "GET":
        return response
    return replace(response, body=bytes(response.body).replace(b'"links":', b'"_links":'))  # type: ignore[arg-type]


def errors_in_hal(_: HttpRequest, response: HttpResponse) -> HttpResponse:
    if response.status < 400:
        return response
    changed = tuple(
        (name, value.replace("application/json", "application/hal+json")) for name, value in response.headers
    )
    return replace(response, headers=changed)


MUTANTS = (
    mutant("no-firewall", "S122", (firewall, "MISREAD", being(re.compile(r"(?!)")))),
    mutant("firewall-behind-authentication", "S122", status_for("GET", "", 400, 401)),
    mutant("no-container", "S122", (platform, "container_answer", giving(None))),
    mutant("guarded-container", "S122", with_header("X-Frame-Options", "DENY", 400)),
    mutant("links-in-configs", "S126", answering(links_in_configs)),
    mutant("errors-in-hal", "S126 S16", answering(errors_in_hal)),
    mutant("errors-in-json-only", "S126", (error_replies, "ERROR_TYPES", being((replies.JSON,)))),
    mutant("not-acceptable-is-ok", "S73", status_for("GET", "", 406, 200)),
    mutant("trace-is-unknown", "S136", status_for("TRACE", "", 405, 501)),
    mutant("unknown-method-is-unknown", "S136", status_for("BREW", "", 400, 501)),
    mutant("odd-ids-are-not-found", "S138", (routing, "parse_parameter", instead(bare_when_odd))),
    mutant("odd-parameters-ignored", "S138", (ddi_deployment, "read_parameters", giving(0))),
    mutant("no-minus-in-intervals", "S139", (config_values, "parse_polling_time", instead(no_minus))),
    mutant("no-numbers-for-texts", "S139", (config_values, "as_text", instead(no_numbers))),
)
