"""The text of a template, JSON or YAML, as one document: short forms such as `!Sub` become what they are short for.

YAML as CloudFormation takes it: version 1.1 without time stamps (a date stays text) and without aliases.
"""

import re
from typing import Any

import orjson
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from smbench.bounded_yaml import BoundedComposer
from smbench.emulator.cloudformation.intrinsics import invalid
from smbench.emulator.protocol.codecs import beyond

_DEPTH_MAX = 100
_NODES_MAX = 20_000  # a second's work, of 60 us each
_CORE = "tag:yaml.org,2002:"
_PLAIN = ("!Ref", "!Condition")  # all other short forms stand for `Fn::` and their name
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+]?[0-9]+)?")


def document_of(text: str) -> Any:
    """Whatever the text says at its top.

    Raises:
        ServiceError: neither JSON nor YAML, an alias, or more than the emulator reads (501).
    """
    if text.lstrip().startswith("{"):
        try:
            document = orjson.loads(text)
        except orjson.JSONDecodeError:
            document = _of_yaml(text)  # YAML has braces, too
    else:
        document = _of_yaml(text)
    _refuse_deep(document)
    return document


class _Bounded(BoundedComposer):
    depth_max, nodes_max = _DEPTH_MAX, _NODES_MAX

    def too_much(self) -> Exception:
        return _too_much()


def _of_yaml(text: str) -> Any:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    reader.Composer = _Bounded
    try:
        root = reader.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid(f"Template format error: YAML not well-formed.{where}") from None
    except YAMLError:
        raise invalid("Template format error: YAML not well-formed.") from None
    return None if root is None else _value(root, set())


def _value(node: Node, seen: set[int]) -> Any:
    if id(node) in seen:
        raise invalid("Template error: YAML aliases are not allowed in CloudFormation templates")
    seen.add(id(node))
    tag = str(node.tag or "")
    value: Any
    if isinstance(node, ScalarNode):
        value = _scalar(tag, node.value)
    elif isinstance(node, SequenceNode):
        value = [_value(item, seen) for item in node.value]
    else:
        assert isinstance(node, MappingNode), "YAML has three kinds of nodes"
        value = _mapping(node, seen)
    if tag.startswith("!"):
        return {tag[1:] if tag in _PLAIN else f"Fn::{tag[1:]}": value}
    return value


def _mapping(node: MappingNode, seen: set[int]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in node.value:
        if not isinstance(key, ScalarNode):
            raise invalid("Template format error: YAML not well-formed. A key must be text")
        if key.value in found:
            raise invalid(f"Template format error: Duplicate key {key.value}")
        found[key.value] = _value(item, seen)
    return found


def _scalar(tag: str, text: str) -> Any:
    match tag.removeprefix(_CORE):
        case "bool":
            return text.lower() in ("true", "yes", "on")
        case "null":
            return None
        case "int" if _INT.fullmatch(text):
            return int(text)
        case "float" if _FLOAT.fullmatch(text):
            return float(text)
    return text  # also numbers in dialects: an account's id with zeros before it is no octal number


def _refuse_deep(document: Any) -> None:
    layer, n_levels = [document], 0
    while layer:
        n_levels += 1
        if n_levels > _DEPTH_MAX:
            raise _too_much()
        layer = [
            inner
            for one in layer
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]


def _too_much() -> Exception:
    return beyond(f"read templates of more than {_NODES_MAX:,} values or {_DEPTH_MAX} levels")
