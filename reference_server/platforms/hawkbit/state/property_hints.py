"""Start-up properties of the real server that have another form here, or none: what to say of them.

Those that people ask for most: where it listens, TLS, the database, files, accounts, DMF, uploads.
"""

from __future__ import annotations

import re
from typing import Final

HINTS: Final[tuple[tuple[str, str], ...]] = (
    (r"server\.(port|address)", "where it listens is said by --http HOST:PORT"),
    (r"server\.ssl(\..+)?", "TLS is said by --https HOST:PORT, with --cert and --key for a certificate of your own"),
    (
        r"server\.(servlet\.(session|encoding|jsp)|tomcat|compression|http2|netty|jetty|undertow|error)\..+",
        "the rules of the container are fixed here",
    ),
    (
        r"spring\.(servlet|webflux)\.multipart\..+",
        "an upload is bounded by hawkbit.server.security.dos.maxArtifactSize alone",
    ),
    (
        r"(spring\.|hawkbit\.)?security\.user\.(name|password|roles)|spring\.security\.user\..+",
        "accounts are said by hawkbit.security.user.<name>.password and .roles, or by --accounts FILE",
    ),
    (
        r"spring\.(datasource|jpa|flyway|liquibase|h2|sql)\..+|hawkbit\.jpa\..+",
        "where records lie is said by --store URL",
    ),
    (
        r"org\.eclipse\.hawkbit\.repository\.file\.path|hawkbit\.artifact\.(fs|repository|file)\..+|aws\..+|azure\..+",
        "artifact files lie beside the records: --store URL says where",
    ),
    (
        r"spring\.rabbitmq\..+|hawkbit\.dmf\..+|hawkbit\.events\..+|spring\.cloud\..+",
        "DMF and its queues are not played",
    ),
    (r"hawkbit\.server\.security\.cors\..+", "no page of another origin is let in here"),
    (r"(hawkbit\.server\.security\.oauth2?|spring\.security\.oauth2)\..+", "operators come with HTTP Basic alone"),
    (r"hawkbit\.server\.ui\..+|vaadin\..+", "there is no user interface here"),
    (r"logging\..+|debug|trace", "all that happens is written by --trace FILE"),
    (
        r"management\..+|springdoc\..+|spring\.(application|main|profiles|mvc|jackson|cache|task)\..+",
        "nothing of it is played",
    ),
    (
        r"hawkbit\.server\.ddi\.security\.authentication\.(targettoken|gatewaytoken|header)",
        "it has parts: .enabled, and .key or .authority",
    ),
)
"""(pattern of a whole name, what to say)."""


def hint_for(name: str) -> str:
    """What to say to somebody who asks for this property; empty where there is nothing to say."""
    return next((hint for pattern, hint in HINTS if re.fullmatch(pattern, name)), "")
