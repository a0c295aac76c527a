"""Every refusal of the platform is a `HawkbitError`; `error_replies.refusal` turns it into the answer, in one place.

What goes over the wire is as bare as the real server's (§0.1). `reason` is for a person and never on
the wire: what was wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from fleetrig.simulator.contract.http import Headers

PREFIX: Final = "hawkbit.server.error."
REPOSITORY: Final = "org.eclipse.hawkbit.repository.exception."
REST: Final = "org.eclipse.hawkbit.rest.exception."
ARTIFACT_EXCEPTIONS: Final = "org.eclipse.hawkbit.artifact.exception."
SORT: Final = "org.eclipse.hawkbit.mgmt.rest.resource.exception."
MOST_SHOWN: Final = 100
"""Characters of a list of ids in a message."""
VIOLATION: Final = "jakarta.validation.ConstraintViolationException"


class HawkbitError(Exception):
    """A refused request.

    `java_class` makes the error body of §0.1, with `code` (without prefix) in it if there is one; without a class the
    answer has the framework's body if `framework` is true, else no body at all.
    """

    def __init__(
        self,
        status: int,
        code: str = "",
        java_class: str = "",
        message: str | None = None,
        *,
        info: dict[str, Any] | None = None,
        framework: bool = False,
        headers: Headers = (),
        secured: bool = True,
        reason: str = "",
    ) -> None:
        super().__init__(reason or message or f"status {status}")
        self.status = status
        self.code = code
        self.java_class = java_class
        self.message = message
        self.info = info
        self.framework = framework
        self.headers = headers
        self.secured = secured
        """False for what is refused before the security filters: no security headers."""
        self.keeps = False
        """True when what was changed before the error stays changed (§1.5, `onWhatFoundAndFail`)."""
        self.reason = reason or message or f"refused with status {status}"

    def body(self) -> dict[str, Any]:
        """The error body, empty fields left out."""
        body: dict[str, Any] = {"exceptionClass": self.java_class}
        if self.code:
            body["errorCode"] = PREFIX + self.code
        if self.message is not None:
            body["message"] = self.message
        if self.info is not None:
            body["info"] = self.info
        return body


def bare(status: int, reason: str, headers: Headers = ()) -> HawkbitError:
    """A status and nothing else: DDI 401, wrong state 404, 410, 412, 416."""
    return HawkbitError(status, headers=headers, reason=reason)


def framework(status: int, reason: str, headers: Headers = ()) -> HawkbitError:
    """What Spring answers itself: Mgmt 401, unknown path 404, 405, 406, 415."""
    return HawkbitError(status, framework=True, headers=headers, reason=reason)


def not_found(kind: str, entity_id: Any, reason: str = "", *, shown: str | None = None) -> HawkbitError:
    """404 entityNotFound. `kind` is the server's word: Target, TargetType, Action, DistributionSet …"""
    message = f"{kind} with given identifier {{{entity_id if shown is None else shown}}} does not exist."
    info = {"type": kind, "entityId": entity_id}
    return HawkbitError(404, "repo.entityNotFound", REPOSITORY + "EntityNotFoundException", message,
                        info=info, reason=reason or f"no such {kind}: {entity_id}")  # fmt: skip


def not_found_at_all(reason: str) -> HawkbitError:
    """404 entityNotFound where the real server does not say what it missed."""
    message = "The given entity does not exist in the repository"
    return HawkbitError(404, "repo.entityNotFound", REPOSITORY + "EntityNotFoundException", message, reason=reason)


def not_all_found(kind: str, wanted: Iterable[Any], found: Collection[Any]) -> HawkbitError:
    """404 entityNotFound where several are looked up at once, be it only one. Asked for twice counts as not found."""
    missing = [str(entity_id) if entity_id is not None else "null" for entity_id in wanted if entity_id not in found]
    shown = ",".join(missing)
    shown = shown if len(shown) <= MOST_SHOWN else shown[: MOST_SHOWN - 3] + "..."
    message = f"{kind}s with given identifiers {{{shown}}} do not exist."
    return HawkbitError(404, "repo.entityNotFound", REPOSITORY + "EntityNotFoundException", message,
                        info={"type": kind, "entityId": missing}, reason=f"no such {kind}: {shown}")  # fmt: skip


def already_exists(
    reason: str, message: str = "The given entity already exists in database", info: dict[str, Any] | None = None
) -> HawkbitError:
    """409. `message` is the server's fixed text, except for metadata."""
    return HawkbitError(
        409, "repo.entityAlreadyExists", REPOSITORY + "EntityAlreadyExistsException", message, info=info, reason=reason
    )


def not_readable(reason: str) -> HawkbitError:
    """400: malformed JSON, missing or mistyped fields, an unknown enum value, text where a number belongs."""
    message = "The given request body is not well formed"
    return HawkbitError(400, "rest.body.notReadable", REST + "MessageNotReadableException", message, reason=reason)


def violations(sentences: Iterable[str]) -> HawkbitError:
    """400 constraintViolation: one sentence per broken rule, joined with a blank."""
    message = " ".join(sentences)
    return HawkbitError(400, "repo.constraintViolation", VIOLATION, message, reason=message)


def integrity(reason: str) -> HawkbitError:
    """400 for what the rules of the server let through and its database does not: too long, missing. It has no code."""
    message = "The data provided violates integrity rules. Please ensure all required fields are valid."
    return HawkbitError(
        400, java_class="org.springframework.dao.DataIntegrityViolationException", message=message, reason=reason
    )


def crash(reason: str) -> HawkbitError:
    """500 with the framework's body: where the real server trips over what it was sent, and nobody catches it."""
    return framework(500, reason)


def invalid(message: str) -> HawkbitError:
    """400 with the code of a constraint violation but a plain message (`ValidationException`)."""
    return HawkbitError(400, "repo.constraintViolation", "jakarta.validation.ValidationException", message)


def quota(children: int, child: str, parent: str, parent_id: Any, maximum: int) -> HawkbitError:
    """429 for a count that would be exceeded (§1.7)."""
    message = (
        f"Quota exceeded: Cannot assign {children} more {child} entities to {parent} '{parent_id}'. "
        f"The maximum is {maximum}."
    )
    return HawkbitError(429, "quota.tooManyEntries", REPOSITORY + "AssignmentQuotaExceededException", message)


def forbidden(missing: str, user: str, *, message: str = "Insufficient Permission") -> HawkbitError:
    """403: authenticated, but the right is missing."""
    return HawkbitError(
        403,
        "insufficientPermission",
        REPOSITORY + "InsufficientPermissionException",
        message,
        reason=f"user {user} lacks {missing}",
    )


def config_value_invalid(message: str) -> HawkbitError:
    return HawkbitError(400, "configValueInvalid", REPOSITORY + "TenantConfigurationValidatorException", message)


def config_key_invalid(key: str, reason: str) -> HawkbitError:
    java_class = REPOSITORY + "InvalidTenantConfigurationKeyException"
    message = f"The given configuration key {key} does not exist."
    return HawkbitError(400, "configKeyInvalid", java_class, message, reason=reason)


def invalid_attributes(reason: str) -> HawkbitError:
    java_class = REPOSITORY + "InvalidTargetAttributeException"
    message = "The given target attributes are invalid"
    return HawkbitError(400, "repo.invalidTargetAttributes", java_class, message, reason=reason)


def rsql_syntax(reason: str, message: str | None = None) -> HawkbitError:
    """400 for a query that is not well formed; only some mistakes have a `message`."""
    java_class = REPOSITORY + "RSQLParameterSyntaxException"
    return HawkbitError(400, "rest.param.rsqlParamSyntax", java_class, message, reason=reason)


def rsql_field(reason: str, message: str | None = None) -> HawkbitError:
    """400 for a field that cannot be searched like this; an unknown one has no `message`."""
    java_class = REPOSITORY + "RSQLParameterUnsupportedFieldException"
    return HawkbitError(400, "rest.param.rsqlInvalidField", java_class, message, reason=reason)


def sort_syntax(reason: str) -> HawkbitError:
    message = "The given sort parameter is not well formed"
    java_class = SORT + "SortParameterSyntaxErrorException"
    return HawkbitError(400, "rest.param.sortParamSyntax", java_class, message, reason=reason)


def sort_field(reason: str) -> HawkbitError:
    message = "The given sort parameter field does not exist"
    java_class = SORT + "SortParameterUnsupportedFieldException"
    return HawkbitError(400, "rest.param.invalidField", java_class, message, reason=reason)


def sort_direction(reason: str) -> HawkbitError:
    message = "The given sort parameter direction does not exist"
    java_class = SORT + "SortParameterUnsupportedDirectionException"
    return HawkbitError(400, "rest.param.invalidDirection", java_class, message, reason=reason)
