"""XML of strangers, read without what makes it dangerous: no document types, no entities, bounded in every way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from fleetrig.simulator.contract.bounds import Bound

MOST_BYTES: Final = Bound(16_777_216, "bytes", "no payload is larger", "16 MiB")
MOST_LEVELS: Final = Bound(50, "levels", "no document needs more")
MOST_ELEMENTS: Final = Bound(50_000, "elements", "the configuration of a gateway has some thousands")
SEPARATOR: Final = " "
"""Between namespace and name, as expat gives them."""
FORBIDDEN: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)], "\ufffd")
"""What XML 1.0 cannot say, not even escaped."""


class BadXml(ValueError):
    """No XML, or more than is read; says why."""


@dataclass(slots=True)
class Element:
    """`name` without its prefix; `namespace` empty for none."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first of that name."""
        return next((one for one in self.children if one.name == name), None)

    def all(self, name: str) -> list[Element]:
        return [one for one in self.children if one.name == name]

    def child_text(self, name: str) -> str | None:
        found = self.child(name)
        return None if found is None else found.text.strip()


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MOST_ELEMENTS.most or len(self._open) >= MOST_LEVELS.most:
            bound = MOST_ELEMENTS if self._elements > MOST_ELEMENTS.most else MOST_LEVELS
            raise BadXml(f"expected {bound}")
        namespace, _, local = name.rpartition(SEPARATOR)
        element = Element(local, namespace, {key.rpartition(SEPARATOR)[2]: one for key, one in attributes.items()})
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)
        self._texts.append([])

    def end(self, name: str) -> None:
        self._open.pop().text = "".join(self._texts.pop())

    def data(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)


def read_xml(data: bytes) -> Element:
    """The root element. Raises BadXml."""
    if len(data) > MOST_BYTES.most:
        raise BadXml(f"expected {MOST_BYTES}")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=SEPARATOR)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(f"no XML: {error}") from None
    except (LookupError, ValueError) as error:
        raise error if isinstance(error, BadXml) else BadXml(f"no XML: {error}") from None
    assert builder.root is not None, "the parser takes no document without an element"
    return builder.root


def written_text(text: str) -> str:
    """A text between two tags."""
    return escape(text.translate(FORBIDDEN))


def written_attribute(text: str) -> str:
    """A value of an attribute, with its quotes."""
    return quoteattr(text.translate(FORBIDDEN))


def _no_doctype(*_: object) -> None:
    raise BadXml("a document type declaration is not read: leave <!DOCTYPE …> out")
