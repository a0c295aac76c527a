"""How an older generation says what the newest one says: what differs in every answer or every refusal (`Traits`)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from fleetrig.reference_server.platforms.hawkbit.state.errors import VIOLATION, HawkbitError
from fleetrig.reference_server.platforms.hawkbit.state.generations import Traits
from fleetrig.simulator.contract.http import HttpResponse

TOLD: Final = re.compile(r"application/(?:[a-z]+\+)?json|application/cbor|text/plain")
"""Types with a charset behind them, if all have one."""
OF_RECORD: Final = re.compile(r"(?:create\.create(?:\[\d+\])?|update\.update)\.")
OF_SEARCHES: Final = {
    "rest.param.rsqlParamSyntax": "The given search parameter is not well formed",
    "rest.param.rsqlInvalidField": "The given search parameter field does not exist",
}
SENTENCE: Final = re.compile(r"(?P<path>\S+) (?P<reason>.+?\.)(?: |$)")
MARKUP: Final = "Invalid characters in string."


def in_charset(response: HttpResponse, traits: Traits) -> HttpResponse:
    """`;charset=UTF-8` behind the type of an answer."""
    if not traits.names_charset:
        return response
    headers = tuple(
        (name, f"{value};charset=UTF-8" if name == "Content-Type" and TOLD.fullmatch(value) else value)
        for name, value in response.headers
    )
    return replace(response, headers=headers)


def reworded(error: HawkbitError, traits: Traits) -> HawkbitError:
    """The same refusal as the generation puts it."""
    if error.code.startswith("quota."):
        error.status = traits.quota_status
    if error.message is None and traits.failed_searches_have_message:
        error.message = OF_SEARCHES.get(error.code)
    if error.java_class == VIOLATION and error.message is not None and not traits.names_request_in_violations:
        error.message = said_of_record(error.message)
    return error


def said_of_record(message: str) -> str:
    """Of broken rules: markup stops a request, and what else is wrong is found in the record, where it has no path."""
    sentences = [(found["path"], found["reason"]) for found in SENTENCE.finditer(message)]
    markup = [f"{_first_of_many(path)} {reason}" for path, reason in sentences if reason == MARKUP]
    return " ".join(markup) or " ".join(f"{OF_RECORD.sub('', path, 1)} {reason}" for path, reason in sentences)


def _first_of_many(path: str) -> str:
    return path.replace("create.create[", "create.creates[")
