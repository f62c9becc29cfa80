"""A page as a browser would take it apart: elements in order, what they name, what they would fetch."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "source", "wbr"})
# Whatever makes a browser ask for something, in HTML or in an SVG inside it.
_FETCHING = frozenset(
    {"src", "srcset", "href", "xlink:href", "action", "formaction", "data", "poster", "background", "ping"}
)


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        """All of this kind below, in order."""
        found = []
        for child in self.children:
            found += [child] if child.tag == tag else []
            found += child.all(tag)
        return found

    def whole_text(self) -> str:
        return " ".join([self.text, *(child.whole_text() for child in self.children)])

    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {}, None)
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.children.append(Element(tag, {name: value or "" for name, value in attrs}, self._open))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        assert self._open.tag == tag, f"</{tag}> ends <{self._open.tag}>"
        assert self._open.parent is not None
        self._open = self._open.parent

    def handle_data(self, data: str) -> None:
        self._open.text += data


def parsed(document: str) -> Element:
    """The tree; every element that is opened must be closed, and in order."""
    parser = _Parser()
    parser.feed(document)
    parser.close()
    assert parser._open is parser.root, f"<{parser._open.tag}> is never closed"
    return parser.root


def fetched(document: str) -> list[str]:
    """Everything that would leave the page: what is not a place in it, nor data within it."""

    def below(element: Element) -> list[str]:
        own = [value for name, value in element.attributes.items() if name in _FETCHING]
        return own + [value for child in element.children for value in below(child)]

    named = below(parsed(document))
    named += re.findall(r"url\(\s*[\"']?([^\"')]+)", document)
    named += re.findall(r"@import\s+[\"']?([^\"';]+)", document)
    return [value for value in named if not value.startswith(("#", "data:"))]
