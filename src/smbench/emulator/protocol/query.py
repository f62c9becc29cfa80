"""AWS's query protocol: a form in, XML out, both spelled by the service's shapes."""

import base64
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from botocore.model import ListShape, MapShape, Shape, StructureShape

from smbench.emulator.protocol.digits import whole
from smbench.emulator.site import iso_ms

FIELDS_MAX = 20_000  # PutMetricData may name 1,000 metrics with 30 dimensions and 150 values each
_BOOLEANS = {"true": True, "false": False}
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#xD;"})
# XML 1.0 has no way to write these at all
_FORBIDDEN = str.maketrans("", "", "".join(chr(i) for i in range(32) if chr(i) not in "\t\n\r") + "\ufffe\uffff")

Tree = dict[str, Any]  # name -> text or Tree


class FormError(ValueError):
    """The body is no form that the query protocol allows."""


def parse_form(text: str) -> Tree:
    """`A.member.1.B=x` as nested dicts.

    Raises:
        FormError: too many fields, or one name that is both a value and a prefix.
    """
    if text.count("&") >= FIELDS_MAX:
        raise FormError("Max number of fields exceeded")
    tree: Tree = {}
    for field in filter(None, text.split("&")):
        name, _, value = map(_plain, field.partition("="))
        *parents, last = name.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
            if not isinstance(node, dict):
                raise FormError(f"{name} is both a value and a prefix")
        if isinstance(node.get(last), dict):
            raise FormError(f"{name} is both a value and a prefix")
        node[last] = value
    return tree


def _plain(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def typed(shape: StructureShape, tree: Tree) -> dict[str, Any]:
    """The form's members under the shape's own names, numbers and booleans parsed.

    What does not parse stays text: the shape's reader then says what is wrong with it.
    """
    result = {}
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        if isinstance(member, ListShape) and member.serialization.get("flattened"):
            wire_name = member.member.serialization.get("name", wire_name)
        if wire_name in tree:
            result[name] = _typed(member, tree[wire_name])
    return result


def _typed(shape: Shape, node: Any) -> Any:
    if isinstance(shape, StructureShape):
        return typed(shape, node) if isinstance(node, dict) else node
    if isinstance(shape, ListShape):
        if node == "":
            return []
        if not shape.serialization.get("flattened") and isinstance(node, dict):
            node = node.get(shape.member.serialization.get("name", "member"), {})
        if isinstance(node, str):  # one item may come without its number, as boto 2 sends it
            node = {"1": node}
        return [_typed(shape.member, item) for item in _in_order(node)]
    if isinstance(shape, MapShape):
        return _typed_map(shape, node)
    if shape.type_name == "boolean":
        return _BOOLEANS.get(node, node) if isinstance(node, str) else node
    if shape.type_name in ("integer", "long", "float", "double"):
        return _number(node)
    return node


def _typed_map(shape: MapShape, node: Any) -> Any:
    if node == "":
        return {}
    if not shape.serialization.get("flattened") and isinstance(node, dict):
        node = node.get("entry", {})
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    if isinstance(node, dict) and key_name in node:  # likewise one entry
        node = {"1": node}
    entries = [entry for entry in _in_order(node) if isinstance(entry, dict)]
    return {str(entry.get(key_name, "")): _typed(shape.value, entry.get(value_name, "")) for entry in entries}


def _in_order(node: Any) -> list[Any]:
    if not isinstance(node, dict):
        return []
    numbered = [(place, item) for index, item in node.items() if (place := whole(index)) is not None]
    return [item for _, item in sorted(numbered, key=lambda pair: pair[0])]


def _number(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def escape(text: str) -> str:
    """Text as XML character data; what XML cannot carry at all is left out."""
    return text.translate(_FORBIDDEN).translate(_ESCAPES)


def xml_members(shape: StructureShape, value: dict[str, Any]) -> str:
    """The members of a structure as XML elements, in the shape's order."""
    parts = []
    for name, member in shape.members.items():
        if name in value:
            parts.append(_element(member.serialization.get("name", name), member, value[name]))
    return "".join(parts)


def _element(tag: str, shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return f"<{tag}>{xml_members(shape, value)}</{tag}>"
    if isinstance(shape, ListShape):
        if shape.serialization.get("flattened"):
            item_tag = shape.member.serialization.get("name", tag)
            return "".join(_element(item_tag, shape.member, item) for item in value)
        item_tag = shape.member.serialization.get("name", "member")
        return f"<{tag}>{''.join(_element(item_tag, shape.member, item) for item in value)}</{tag}>"
    if isinstance(shape, MapShape):
        return _map_element(tag, shape, value)
    return f"<{tag}>{_text(value)}</{tag}>"


def _map_element(tag: str, shape: MapShape, value: dict[str, Any]) -> str:
    key_tag = shape.key.serialization.get("name", "key")
    value_tag = shape.value.serialization.get("name", "value")
    is_flat = shape.serialization.get("flattened")
    entry = tag if is_flat else "entry"
    entries = "".join(
        f"<{entry}><{key_tag}>{escape(key)}</{key_tag}>{_element(value_tag, shape.value, item)}</{entry}>"
        for key, item in value.items()
    )
    return entries if is_flat else f"<{tag}>{entries}</{tag}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return iso_ms(round(value.timestamp() * 1e6) * 1000)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return escape(str(value))
