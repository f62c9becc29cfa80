"""A scenario as written: its values, and where in the text each of them is.

YAML 1.2, and of it only what makes data: `yes` is a word, `010` is ten, and there are no tags, merge keys or dates.
An alias means the same value once more; what is wrong in it is shown where it was written.
"""

import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from smbench.bounded_yaml import BoundedComposer
from smbench.errors import Problem

Where = tuple[str | int, ...]

TEXT_MAX = 200_000  # characters; no scenario written by a person comes near it
NODES_MAX = 20_000  # keys and values as written
VALUES_MAX = 100_000  # aliases of aliases can make a page of text mean more than fits in memory
VALUE_SHOWN_MAX = 60
DEPTH_MAX = 50  # lists and mappings inside each other; a scenario has some ten

_CORE = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INT_DIGITS_MAX = 4000  # CPython refuses to read longer ones

_USER_INFO = re.compile(r"://[^/\s@]+@")  # a password may be in it

# What ruamel.yaml says, and what the author wants to know; the first that matches.
_IN_OUR_WORDS = (
    (r"found character '\\t'", "a tab is where YAML needs spaces"),
    (r"found character '(.)' that cannot start", r"text cannot begin with '\1' unless it is in quotes"),
    (r"mapping values are not allowed", "a ':' is not expected here: check the indentation, or put the text in quotes"),
    (r"could not find expected ':'", "a ':' is missing after a key on the line before"),
    (r"expected ',' or '(.)', but got", r"a ',' or the closing '\1' is missing"),
    (r"found unexpected end of stream", "the closing quote is missing"),
    (r"expected <block end>", "the indentation does not fit the lines above"),
    (r"found another document", "a scenario is one document: '---' may not begin a second"),
    (r"found undefined alias '(.*)'", r"the alias '*\1' names no anchor '&\1' before it"),
    (r"found unknown escape character", "an unknown escape in a double-quoted text: use single quotes"),
)


@dataclass(slots=True)
class Source:
    """The text as data. `places` has the line and column of each value, `key_places` of each key, from 1."""

    text: str
    value: Any = None
    places: dict[Where, tuple[int, int]] = field(default_factory=dict)
    key_places: dict[Where, tuple[int, int]] = field(default_factory=dict)
    written: dict[Where, str] = field(default_factory=dict)
    problems: dict[Where, Problem] = field(default_factory=dict)  # by the place they spoil; the whole file is ()

    def problem(
        self, path: Where, message: str, *, at_key: bool = False, show: bool = True, meant: str = ""
    ) -> Problem:
        """A problem at a place, or at the nearest enclosing place that is written."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        places = self.key_places if at_key or known != path else self.places
        line, column = places.get(known) or self.places.get(known) or (1, 1)
        value = _USER_INFO.sub("://[redacted]@", self.written.get(path, "")) if show else ""
        return Problem(dotted(path), message, line, column, value, meant)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Something that is well written and does not fit with the rest, or with what is on the disk."""

    where: Where
    message: str
    meant: str = ""


def dotted(path: Where) -> str:
    """`load.1.poisson.rate`; entries of lists count from 0."""
    return ".".join(str(step) for step in path)


def read_source(text: str) -> Source:
    """Read YAML without giving it meaning. Never raises: what is wrong is in `problems`, and the rest is read."""
    source = Source(text)
    if len(text) > TEXT_MAX:
        source.problems[()] = Problem("", f"is too long for a scenario: {len(text):,} characters")
        return source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an anchor used twice means its latest value, as YAML 1.2 has it
            root = _yaml().compose(text)
    except _TooMuchError as error:
        source.problems[()] = error.problem
    except ReaderError as error:
        line, column = _place_of(text, error.position or 0)
        source.problems[()] = Problem(
            "", "a character that is not allowed in YAML", line, column, repr(error.character)
        )
    except MarkedYAMLError as error:
        source.problems[()] = _syntax_problem(error)
    except YAMLError as error:
        source.problems[()] = Problem("", f"is not YAML: {str(error).splitlines()[0]}", 1, 1)
    else:
        if root is None:
            source.problems[()] = Problem("", "is empty; `smbench init` writes a scenario to begin with", 1, 1)
        else:
            source.value = _Walk(source).value(root, (), ())
    return source


class _TooMuchError(Exception):
    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.problem = Problem("", message, line, column)


class _Bounded(BoundedComposer):
    depth_max, nodes_max = DEPTH_MAX, NODES_MAX

    def too_much(self) -> _TooMuchError:
        mark = self.parser.peek_event().start_mark
        message = f"has more than {NODES_MAX:,} values; a long series of rates is better a trace"
        if self.n_levels > DEPTH_MAX:
            message = f"is nested more than {DEPTH_MAX} levels deep"
        return _TooMuchError(message, mark.line + 1, mark.column + 1)


def _yaml() -> YAML:
    reader = YAML(typ="safe", pure=True)
    reader.Composer = _Bounded
    return reader


def _syntax_problem(error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = " ".join(str(error.problem or error.context or "").split())
    for pattern, message in _IN_OUR_WORDS:
        if match := re.search(pattern, said):
            return Problem("", match.expand(message), line, column)
    return Problem("", f"is not YAML: {said}", line, column)


def _place_of(text: str, index: int) -> tuple[int, int]:
    before = text[:index]
    return before.count("\n") + 1, index - before.rfind("\n")


class _Walk:
    """From nodes to values, noting places and problems on the way."""

    def __init__(self, source: Source) -> None:
        self.source, self.n_values = source, 0

    def value(self, node: Node, path: Where, above: tuple[Node, ...]) -> Any:
        self.n_values += 1
        self.source.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        self.source.written[path] = self._as_written(node)
        if any(node is outer for outer in above):
            return self._wrong(path, "an alias cannot be inside what it repeats")
        if self.n_values > VALUES_MAX:
            if self.n_values == VALUES_MAX + 1:
                self._wrong(path, f"aliases repeat so much that there are more than {VALUES_MAX:,} values")
            return None
        tag = str(node.tag or "")
        if isinstance(node, ScalarNode):
            return self._scalar(node, tag, path)
        if tag not in (_CORE + "map", _CORE + "seq") or not isinstance(node, MappingNode | SequenceNode):
            return self._wrong(path, f"the tag {_short_tag(tag)} has no meaning in a scenario")
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index), (*above, node)) for index, item in enumerate(node.value)]
        return self._mapping(node, path, (*above, node))

    def _mapping(self, node: MappingNode, path: Where, above: tuple[Node, ...]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            if not isinstance(key_node, ScalarNode):
                self.source.problems[(*path, f"line {place[0]}")] = Problem(
                    dotted(path), "a key must be a single word", *place
                )
                continue
            key, inner = key_node.value, (*path, key_node.value)
            if key_node.tag == _CORE + "merge":
                self.source.problems[inner] = Problem(
                    dotted(path), "'<<' is not part of YAML 1.2: write the settings out", *place
                )
            elif key in found:
                first = self.source.key_places[inner]
                self.source.problems[inner] = Problem(
                    dotted(inner), f"is here a second time; the first is in line {first[0]}", *place
                )
            else:
                self.source.key_places[inner] = place
                found[key] = self.value(value_node, inner, above)
        return found

    def _scalar(self, node: ScalarNode, tag: str, path: Where) -> Any:
        text: str = node.value
        match tag.removeprefix(_CORE):
            case "str" | "timestamp":
                return text
            case "bool":
                return text.lower() == "true"
            case "null":
                return self._wrong(path, "has no value: give it one, or remove it", is_empty=True)
            case "int" if _INT.fullmatch(text):
                if len(text) > _INT_DIGITS_MAX:
                    return self._wrong(path, "is a number of absurd length")
                return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            case "float" if _FLOAT.fullmatch(text):
                return float(text)
            case "float" if text.lower().lstrip("+-") in (".inf", ".nan"):
                return float(text.replace(".", "", 1))
            case "int" | "float":  # 1_000 and the like: numbers in other dialects of YAML
                return text
        return self._wrong(path, f"the tag {_short_tag(tag)} has no meaning in a scenario")

    def _wrong(self, path: Where, message: str, *, is_empty: bool = False) -> None:
        # Of an empty value ruamel.yaml knows only where the next one begins, so its key stands for it.
        self.source.problems[path] = self.source.problem(path, message, at_key=is_empty, show=not is_empty)

    def _as_written(self, node: Node) -> str:
        if isinstance(node, MappingNode):
            return "a mapping"
        if isinstance(node, SequenceNode):
            return "a list"
        text = self.source.text[node.start_mark.index : node.end_mark.index].strip()
        first = text.splitlines()[0] if text else ""
        return first if first == text and len(text) <= VALUE_SHOWN_MAX else first[: VALUE_SHOWN_MAX - 1] + "…"


def _short_tag(tag: str) -> str:
    return "!!" + tag.removeprefix(_CORE) if tag.startswith(_CORE) else tag
