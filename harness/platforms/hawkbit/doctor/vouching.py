"""What a proxy tells hawkBit of a certificate (§3.3). Decided here once: the doctor sends exactly this, prints exactly
this, and reasons about exactly this."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fleetrig.harness.doctor.certificates import CertificateFacts
from fleetrig.harness.platforms.hawkbit.doctor.facts import Config, Presented
from fleetrig.simulator.contract.header_text import why_no_header_text

IDENTITY_HEADER: Final = "X-Controller-Id"
AUTHORITY_HEADER: Final = "X-Authority"
OLD_IDENTITY_HEADER: Final = "X-Ssl-Client-Cn"
OLD_AUTHORITY_HEADER: Final = "X-Ssl-Issuer-Hash"
SEPARATORS: Final = re.compile("[;,]")
"""The server's `authoritiesSeparatorRegex`, unless it was started with another one."""
OWN_TEXT: Final = "NAME-OF-THIS-CA"
"""Where the user has to choose one."""
WHITE: Final = "".join(map(chr, range(0x21)))
"""What Java's `trim` takes away."""
OF_A_NAME: Final = re.compile(r"[a-z][a-z0-9-]*\s*=.*|[0-9.]+\s*=.*")
"""One part of a distinguished name, `O=Acme`."""


@dataclass(frozen=True, slots=True)
class Vouching:
    """The headers of a proxy. `authorities` has several members only where nobody can say which of them counts."""

    identity: str
    authorities: tuple[str, ...]
    in_nginx: str
    """How nginx writes `authority`."""

    @property
    def authority(self) -> str:
        """The value of the header that names the issuer."""
        return ",".join(self.authorities)

    @property
    def headers(self) -> dict[str, str]:
        """In the names of both generations; before 1.0 each authority has a header of its own."""
        numbered = {f"{OLD_AUTHORITY_HEADER}-{n}": one for n, one in enumerate(self.authorities, 1)}
        return {
            IDENTITY_HEADER: self.identity,
            AUTHORITY_HEADER: self.authority,
            OLD_IDENTITY_HEADER: self.identity,
            **numbered,
        }


@dataclass(frozen=True, slots=True)
class Form:
    """One way to name an issuer: what is sent, and what nginx would be told."""

    text: str
    in_nginx: str


def vouching(presented: Presented, config: Config | None) -> Vouching | None:
    """What the user says that the proxy sends; else the form of the issuer that the tenant trusts, else the plainest.

    Where the tenant's list cannot be seen, every form is sent, since any of them may be the right one.
    """
    own = presented.certificate
    if own is None:
        return None
    if presented.authority is not None:
        return Vouching(own.common_name, (presented.authority,), quoted_for_nginx(presented.authority))
    known = forms(own)
    if config is None or config.authority is None:
        can_be_sent = [form.text for form in known if not why_no_header_text(form.text.strip(" "))]
        every = tuple(can_be_sent or (known[0].text,))
        return Vouching(own.common_name, every, quoted_for_nginx(",".join(every)))
    trusted = pieces(config.authority)
    chosen = next((form for form in known if matching(form.text, trusted)), known[0])
    return Vouching(own.common_name, (chosen.text,), chosen.in_nginx)


def forms(own: CertificateFacts) -> list[Form]:
    """The issuer's common name, its fingerprints, its whole name; those that a list can hold as one entry first."""
    known = [Form(text, quoted_for_nginx(text)) for text in (own.issuer_common_name, *own.issuer_fingerprints) if text]
    known.append(Form(own.issuer, "$ssl_client_i_dn" if own.issuer.isascii() else quoted_for_nginx(own.issuer)))
    return sorted(known, key=lambda form: (bool(why_no_header_text(form.text.strip(" "))), not is_one_entry(form.text)))


def pieces(text: str) -> list[str]:
    """The entries of a list as the server splits and compares them: Java drops empty ones at the end, but an empty
    text is one empty entry."""
    found = SEPARATORS.split(text)
    while text and found and not found[-1]:
        found.pop()
    return [piece.lower().strip(WHITE) for piece in found]


def matching(sent: str, trusted: Sequence[str]) -> list[str]:
    """The entries of what is sent that are trusted: one lets the device in."""
    return [piece for piece in pieces(sent) if piece in trusted]


def is_one_entry(text: str) -> bool:
    return SEPARATORS.search(text) is None


def parts_of_names(trusted: Sequence[str]) -> Iterator[str]:
    """Entries that are shared by every issuer of an organisation: parts of a distinguished name, `o=acme`.

    A common name that stands alone says which issuer is meant; beside other parts it does not close them.
    """
    parts = [piece for piece in trusted if OF_A_NAME.fullmatch(piece)]
    yield from (piece for piece in parts if not piece.startswith("cn="))


def quoted_for_nginx(text: str) -> str:
    """nginx has no escape for `$`; `geo $dollar { default "$"; }` is how it is written.

    What no header can carry is replaced by what has to be chosen instead.
    """
    if why_no_header_text(text.strip(" ")):
        text = OWN_TEXT
    return '"{}"'.format(re.sub(r'(["\\])', r"\\\1", text).replace("$", "${dollar}"))


def as_nginx_writes(name: str) -> str:
    """A name in `$ssl_client_s_dn`: each byte beyond ASCII as a backslash and two hex digits (RFC 2253 §2.4)."""
    return "".join(char if char.isascii() else "".join(f"\\{byte:02X}" for byte in char.encode()) for char in name)
