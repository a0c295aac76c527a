"""Certificates of accounts: `/v1/{scope}/certificateInfos`.

Kapua has the entity (spec 3.5) and no REST for it: paths and the member `certificate`, the PEM of the chain, are this
server's own. A POST without `certificate` has a new one made.
"""

from __future__ import annotations

from typing import Any, Final

from cryptography import x509

from fleetrig.reference_server.platforms.kura.rest.call import Call
from fleetrig.reference_server.platforms.kura.rest.forms import flag, needed_text, needed_whole, objects, text, word
from fleetrig.reference_server.platforms.kura.rest.replies import (
    Reply,
    counted,
    created,
    done,
    entity,
    listed,
    paging_of_body,
    paging_of_query,
)
from fleetrig.reference_server.platforms.kura.state.certificates import (
    create_certificate,
    delete_certificate,
    import_certificate,
    inherited_certificates,
    needed_certificate,
    set_certificate_status,
)
from fleetrig.reference_server.platforms.kura.state.errors import illegal
from fleetrig.reference_server.platforms.kura.state.records import (
    CertificateRecord,
    CertificateStatus,
    CertificateUsage,
)
from fleetrig.simulator.certificates.keys import key_text

SHORT: Final = 48
MOST_PEM_CHARS: Final = 65_536


def certificate_document(record: CertificateRecord) -> dict[str, Any]:
    own = x509.load_pem_x509_certificate(record.own_pem.encode("ascii"))
    members = {
        "name": record.name,
        "forwardable": record.forwardable,
        "status": record.status.value,
        "certificateUsages": [{"name": usage.value} for usage in record.usages],
        "serial": str(own.serial_number),
        "algorithm": key_text(own.public_key()),
        "subject": own.subject.rfc4514_string(),
        "issuer": own.issuer.rfc4514_string(),
        "certificate": record.chain_pem,
    }
    return entity("certificateInfo", record, members)


def list_all(call: Call) -> Reply:
    """An account's own, then what it inherits."""
    name, usage = call.parameter("name"), call.parameter("usage")
    found = [
        one
        for one in inherited_certificates(call.registry, call.scope.id)
        if name in ("", one.name) and (not usage or usage in one.usages)
    ]
    return listed("certificateInfo", found, certificate_document, paging_of_query(call))


def query(call: Call) -> Reply:
    found = inherited_certificates(call.registry, call.scope.id)
    return listed("certificateInfo", found, certificate_document, paging_of_body(call))


def count(call: Call) -> Reply:
    return counted(inherited_certificates(call.registry, call.scope.id), certificate_document, paging_of_body(call))


def create(call: Call) -> Reply:
    asked, by = call.document, call.operator.id
    name, forwardable = needed_text(asked, "name", SHORT), flag(asked, "forwardable")
    usages = _usages(call)
    pem = text(asked, "certificate", MOST_PEM_CHARS)
    if pem:
        args = (call.registry, call.scope.id, name, pem, usages, call.now_us)
        made = import_certificate(*args, forwardable=forwardable, by=by)
    else:
        made = create_certificate(
            call.registry, call.scope.id, name, usages, call.now_us, forwardable=forwardable, by=by
        )
    return created(certificate_document(made), f"certificate {made.name} made")


def read(call: Call) -> Reply:
    return Reply(certificate_document(_wanted(call)))


def update(call: Call) -> Reply:
    """Its status only."""
    asked = call.document
    status = word(asked, "status", tuple(CertificateStatus))
    if status is None:
        raise illegal("certificateInfo.status", "", " or ".join(CertificateStatus))
    optlock = needed_whole(asked, "optlock")
    args = (CertificateStatus(status), optlock, call.now_us, call.operator.id)
    saved = set_certificate_status(call.registry, _wanted(call), *args)
    return Reply(certificate_document(saved), changed=f"certificate {saved.name} is {saved.status}")


def delete(call: Call) -> Reply:
    record = _wanted(call)
    delete_certificate(call.registry, record)
    return done(f"certificate {record.name} deleted")


def _wanted(call: Call) -> CertificateRecord:
    return needed_certificate(call.registry, call.scope.id, call.values["certificate"])


def _usages(call: Call) -> tuple[CertificateUsage, ...]:
    names = [needed_text(one, "name") for one in objects(call.document, "certificateUsages")]
    unknown = [name for name in names if name not in list(CertificateUsage)]
    if unknown or not names:
        known = " or ".join(CertificateUsage)
        raise illegal("certificateInfo.certificateUsages", ", ".join(unknown)[:80], f"at least one of {known}")
    return tuple(CertificateUsage(name) for name in names)
