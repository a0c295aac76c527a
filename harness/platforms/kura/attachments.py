"""What is attached to a provision request: one configuration, and bundles (spec 1.5).

How attachments look on the wire is not public: this is the form of the open profile, as our own server takes it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from fleetrig.harness.platforms.kura.device_management import pid_of, typed_property
from fleetrig.harness.platforms.kura.request_terms import RequestTerms

NAMESPACES: Final = 'xmlns:esf="http://eurotech.com/esf/2.0" xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0"'
BUNDLE_BYTES: Final = 4096
VERSION: Final = "1.0.0"


def attachments_of(terms: RequestTerms, serial: str) -> list[dict[str, Any]]:
    """As a `ProvisionRequestCreator` has them."""
    attached = [bundle(number) for number in range(1, terms.bundles + 1)]
    if terms.configuration:
        document = configuration_xml(terms.configuration, serial)
        content = base64.b64encode(document.encode()).decode()
        attached.insert(0, {"type": "CONFIGURATION", "name": "configuration.xml", "content": content})
    return attached


def bundle(number: int) -> dict[str, Any]:
    """A fictitious deployment package."""
    name = f"fleetrig-bundle-{number}"
    content = (name.encode() + b"\n") * (BUNDLE_BYTES // (len(name) + 1))
    return {
        "type": "BUNDLE",
        "name": name,
        "version": VERSION,
        "content": base64.b64encode(content).decode(),
    }


def configuration_xml(components: Mapping[str, Mapping[str, Any]], serial: str) -> str:
    """The form of spec 3.2. `{serial}` in a value stands for the serial."""
    parts = "".join(
        f"<esf:configuration pid={quoteattr(pid_of(component))}><esf:properties>"
        f"{''.join(property_xml(name, value, serial) for name, value in properties.items())}"
        "</esf:properties></esf:configuration>"
        for component, properties in components.items()
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><esf:configurations {NAMESPACES}>{parts}</esf:configurations>'


def property_xml(name: str, value: Any, serial: str) -> str:
    given = typed_property(name, value)
    text = escape(given["value"][0].replace("{serial}", serial))
    kind = quoteattr(given["type"])
    return (
        f'<esf:property name={quoteattr(name)} array="false" encrypted="false" type={kind}>'
        f"<esf:value>{text}</esf:value></esf:property>"
    )
