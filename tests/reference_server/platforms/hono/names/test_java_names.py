"""Names as Java prints and reads them. The vectors were made by Java 17 (`X500Principal.getName("RFC2253")`)."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from fleetrig.reference_server.platforms.hono.names.assertions import KEYWORDS, UNDERSTOOD
from fleetrig.reference_server.platforms.hono.names.der import SEQUENCE, SET, children, encoded, oid_text
from fleetrig.reference_server.platforms.hono.names.java_names import parsed_rfc2253, rfc2253_of, rfc2253_of_der

UTF8, PRINTABLE, T61, IA5, BMP, UNIVERSAL, OCTETS = 0x0C, 0x13, 0x14, 0x16, 0x1E, 0x1C, 0x04
SPECIAL = ',=+<>#;"\\'


def oid_der(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    value = b""
    for arc in (first * 40 + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(arc & 0x7F | 0x80)
        value += bytes(reversed(digits))
    return encoded(0x06, value)


def assertion(oid: str, tag: int, value: bytes) -> bytes:
    return encoded(SEQUENCE, oid_der(oid) + encoded(tag, value))


def name_der(*rdns: list[bytes]) -> bytes:
    return encoded(SEQUENCE, b"".join(encoded(SET, b"".join(rdn)) for rdn in rdns))


def of_keyword(keyword: str, value: str, tag: int = UTF8) -> bytes:
    return assertion(UNDERSTOOD[keyword], tag, value.encode())


@pytest.mark.parametrize(
    ("rdns", "printed"),
    [
        ([["O", "ACME"], ["OU", "iot"], ["CN", "device-1"]], "CN=device-1,OU=iot,O=ACME"),
        (
            [["C", "DE"], ["ST", "BW"], ["O", "ACME, Inc."], ["CN", 'dev "q" #1']],
            r"CN=dev \"q\" \#1,O=ACME\, Inc.,ST=BW,C=DE",
        ),
        ([["CN", "a=b"]], r"CN=a\=b"),
        ([["CN", " x "]], r"CN=\ x\ "),
        ([["CN", "a\0b"]], r"CN=a\00b"),
        ([["CN", "\r\rx\r"]], "CN=\\\r\\\rx\\\r"),
        ([["CN", "  "]], r"CN=\ \ "),
        ([["CN", ""]], "CN="),
        ([["CN", "é €\t\n"]], "CN=é €\t\n"),
        ([["STREET", "s"], ["DC", "d"], ["UID", "u"], ["L", "l"]], "L=l,UID=u,DC=d,STREET=s"),
    ],
)
def test_names_of_the_nine_keywords(rdns: list[list[str]], printed: str) -> None:
    assert rfc2253_of_der(name_der(*([of_keyword(rdn[0], rdn[1])] for rdn in rdns))) == printed


@pytest.mark.parametrize(
    ("oid", "tag", "value", "printed"),
    [
        ("2.5.4.5", PRINTABLE, b"77", "2.5.4.5=#13023737"),
        ("2.5.4.5", UTF8, b"77", "2.5.4.5=#0c023737"),
        ("1.2.840.113549.1.9.1", IA5, b"a@b.c", "1.2.840.113549.1.9.1=#16056140622e63"),
        ("2.5.4.12", PRINTABLE, b"title", "2.5.4.12=#13057469746c65"),
        ("2.999.3", UTF8, b"x", "2.999.3=#0c0178"),
        ("2.5.4.3", BMP, b"\0A\0B", r"CN=\00A\00B"),
        ("2.5.4.3", T61, b"\xe4x", "CN=\N{REPLACEMENT CHARACTER}x"),
        ("2.5.4.3", UTF8, b"\xed\xa0\x80x", "CN=\N{REPLACEMENT CHARACTER}x"),
        ("2.5.4.3", UTF8, b"\xed\xa5\xd9[", "CN=\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}["),
        ("2.5.4.3", UNIVERSAL, b"\0\0\0A", "CN=#1c0400000041"),
        ("2.5.4.3", OCTETS, b"A", "CN=#040141"),
    ],
)
def test_other_attributes_and_other_kinds_of_strings(oid: str, tag: int, value: bytes, printed: str) -> None:
    assert rfc2253_of_der(name_der([assertion(oid, tag, value)])) == printed


def test_an_rdn_of_several_values_keeps_the_order_of_its_encoding() -> None:
    several = [of_keyword("OU", "p"), of_keyword("UID", "z")]
    assert rfc2253_of_der(name_der([of_keyword("O", "o")], [of_keyword("CN", "a=b")], several)) == (
        r"OU=p+UID=z,CN=a\=b,O=o"
    )


def test_a_name_of_the_library_is_printed_the_same() -> None:
    named = x509.Name([x509.NameAttribute(NameOID.SERIAL_NUMBER, "77"), x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    assert rfc2253_of(named) == "CN=x,2.5.4.5=#13023737"
    assert rfc2253_of(x509.Name([])) == ""


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("cn=x, o=y", "CN=x,O=y"),
        ("CN=x;O=y", "CN=x,O=y"),
        (" OU = a + CN = b ", "OU=a+CN=b"),
        ("S=BW,C=DE", "ST=BW,C=DE"),
        ("T=title,CN=x", "2.5.4.12=#13057469746c65,CN=x"),
        ("EMAILADDRESS=a@b.c", "1.2.840.113549.1.9.1=#16056140622e63"),
        ("EMAIL=,CN=x", "1.2.840.113549.1.9.1=#1300,CN=x"),
        ("SERIALNUMBER=77", "2.5.4.5=#13023737"),
        ("OID.2.5.4.3=z,2.5.4.03=y", "CN=z,CN=y"),
        ('CN="q, +;r"', r"CN=q\, \+\;r"),
        (r"CN=a\,b", r"CN=a\,b"),
        (r"CN=\41\c3\bc", "CN=Aü"),
        (r"CN= a  \41 b ", "CN=a  A b"),
        (r"CN=a\20", r"CN=a\ "),
        (r"CN=a \41", "CN=aA"),
        ("CN=#0c0161", "CN=a"),
        ("CN=#13024142", "CN=AB"),
        ("CN=a#b=c", r"CN=a\#b\=c"),
        ("CN=", "CN="),
        ("", ""),
        (r"CN=a\+b\\,O=lost", r"CN=a\+b\\"),
        ("DNQ=1,DNQUALIFIER=2,SURNAME=3,GIVENNAME=4,INITIALS=5,GENERATION=6,IP=7", None),
    ],
)
def test_what_java_makes_of_a_name_as_text(said: str, printed: str | None) -> None:
    if printed is None:
        printed = (
            "2.5.4.46=#130131,2.5.4.46=#130132,2.5.4.4=#130133,2.5.4.42=#130134,2.5.4.43=#130135,2.5.4.44=#130136,"
            "1.3.6.1.4.1.42.2.11.2.1=#130137"
        )
    assert parsed_rfc2253(said) == printed


@pytest.mark.parametrize(
    "said",
    [
        "x",
        " ",
        "E=a@b.c",
        "=x",
        "CN=a,",
        "CN=a,,O=b",
        "CN=a+",
        r"CN=\x",
        r"CN=\4",
        "CN=a\\",
        'CN="a',
        'CN="a" b',
        'CN=a"b',
        "CN=a<b",
        "CN=#",
        "CN=#0",
        "CN=#zz",
        "CN=#0c0561",
        "3.1=x",
        "1.40=x",
        "2=x",
        "2..4=x",
    ],
)
def test_what_is_no_name(said: str) -> None:
    assert parsed_rfc2253(said) is None


LETTERS = st.text(st.sampled_from(f"{SPECIAL} aB1.-ü€/:'\t"), max_size=8)
ATTRIBUTES = st.tuples(st.sampled_from(sorted(set(KEYWORDS.values()) - {"DC"})), LETTERS)
NAMES = st.lists(st.lists(ATTRIBUTES, min_size=1, max_size=3), max_size=4)


@given(NAMES)
def test_a_printed_name_is_read_as_the_same_name(rdns: list[list[tuple[str, str]]]) -> None:
    """Without backslashes, behind which Java misreads separators, and without DC, which it reads as ASCII."""
    rdns = [[(keyword, value.replace("\\", "b")) for keyword, value in rdn] for rdn in rdns]
    printed = rfc2253_of_der(name_der(*([of_keyword(*one) for one in rdn] for rdn in rdns)))
    assert parsed_rfc2253(printed) == printed


@given(st.lists(st.tuples(st.sampled_from(["2.5.4.5", "2.5.4.12", "2.999.7"]), st.binary(max_size=200)), max_size=3))
def test_values_without_a_keyword_are_their_der(values: list[tuple[str, bytes]]) -> None:
    printed = rfc2253_of_der(name_der(*([assertion(oid, OCTETS, value)] for oid, value in values)))
    assert printed == ",".join(f"{oid}=#{encoded(OCTETS, value).hex()}" for oid, value in reversed(values))
    assert parsed_rfc2253(printed) == printed


@given(st.binary(max_size=40))
def test_anything_is_a_name_or_a_value_error(der: bytes) -> None:
    try:
        assert isinstance(rfc2253_of_der(der), str)
    except ValueError:
        return


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_none(said: str) -> None:
    printed = parsed_rfc2253(said)
    assert printed is None or isinstance(printed, str)


@given(st.tuples(st.integers(0, 1), st.integers(0, 39)), st.lists(st.integers(0, 2**40), max_size=5))
def test_object_identifiers(first: tuple[int, int], rest: list[int]) -> None:
    text = ".".join(map(str, (*first, *rest)))
    (element,) = children(encoded(SEQUENCE, oid_der(text)), SEQUENCE)
    assert oid_text(element.value) == text
