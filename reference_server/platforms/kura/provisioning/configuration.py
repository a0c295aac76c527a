"""The configuration that goes with the material: the one that is attached, or one that the server makes (1.5, 3.2).

It has the form of CONF-V1, and is in the body of the reply: a PUT of CONF-V1 would be applied after a second, and
PROV-SIM1 wants it staged until the confirm was answered (section 6, row 15).
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

TRANSPORT_PID: Final = "org.eclipse.kura.core.data.transport.mqtt.MqttDataTransport"
DATA_SERVICE_PID: Final = "org.eclipse.kura.data.DataService"
HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<esf:configurations xmlns:esf="http://eurotech.com/esf/2.0" '
    'xmlns:ocd="http://www.osgi.org/xmlns/metatype/v1.2.0">'
)
TAIL: Final = "</esf:configurations>"


def generated_configuration(broker_url: str, account: str, client_id: str, username: str, password: str) -> bytes:
    """Where the device connects from now on, from values of its account and its own."""
    transport = (
        ("broker-url", "String", broker_url),
        ("topic.context.account-name", "String", account),
        ("client-id", "String", client_id),
        ("username", "String", username),
        ("password", "Password", password),
    )
    data_service = (("connect.auto-on-startup", "Boolean", "true"),)
    components = _component(TRANSPORT_PID, transport) + _component(DATA_SERVICE_PID, data_service)
    return f"{HEAD}{components}{TAIL}".encode()


def _component(pid: str, properties: tuple[tuple[str, str, str], ...]) -> str:
    said = "".join(
        f'<esf:property name="{name}" array="false" encrypted="false" type="{kind}">'
        f"<esf:value>{escape(value)}</esf:value></esf:property>"
        for name, kind, value in properties
    )
    return f'<esf:configuration pid="{pid}"><esf:properties>{said}</esf:properties></esf:configuration>'
