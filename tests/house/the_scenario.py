"""docs/scenario.md, printed from the scenario's schema; a test keeps the two equal."""

import json
from typing import Any

from smbench.scenario.schema import json_schema
from smbench.scenario.values.quantities import SECONDS_MAX, format_duration, format_rate

_HEAD = """# The scenario file

Every setting of a scenario, printed from the schema that the loader and your editor use (`smbench schema`). `smbench
init` writes a commented scenario to begin with; `smbench validate FILE` says in words what a file does, and everything
that is wrong with it, each with its line. YAML 1.2; unknown keys are errors.

| a value | is written |
|---|---|
| duration | `250ms`, `30s`, `5m`, `1h30m`, `2d`; a plain number is seconds |
| rate | `3/s`, `90/m`, `1000/h`; a plain number is per second |
| size | `512B`, `2KiB`, `1MB`; a plain number is bytes |
| share | `5%`; a plain number lies between 0 and 1 |
| law | a duration, which is always the same, or [one of these](#distribution) |

Files are looked for beside the scenario file: regular ones, in its folder or below. Others need `--allow-files DIR` on
the command line. What payloads may be made of: [payloads.md](payloads.md).
"""
_UNITS = {"seconds": "duration", "requests per second": "rate", "bytes": "size", "share": "share"}
_REF = "#/definitions/"
_LAWS = ("Distribution", "ServiceLaw")
_FIRST = (
    "Target",
    "Emulated",
    "Instances",
    "ServiceLaw",
    "Distribution",
    "Policy",
    "Payloads",
    "PayloadSet",
    "Request",
)


def scenario_markdown() -> str:
    """All parts, the whole first, each with a table of its settings."""
    schema = json_schema()
    definitions: dict[str, Any] = schema["definitions"]
    order = sorted(definitions, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    parts = [_HEAD, f"## The whole\n\n{_table(schema, definitions)}"]
    for name in order:
        part = definitions[name]
        parts.append(f"## {name}\n\n{_about(part)}{_table(_mapping(part), definitions)}")
    return "\n".join(parts)


def _mapping(part: dict[str, Any]) -> dict[str, Any]:
    """The alternative that has settings, where a part may be written in other ways too: the last."""
    found: dict[str, Any] = next((one for one in [part, *reversed(part.get("anyOf", ()))] if "properties" in one), part)
    return found


def _about(part: dict[str, Any]) -> str:
    text = " ".join(str(part.get("description", "")).split())
    is_one = _mapping(part).get("maxProperties") == 1 and "exactly one" not in text.lower()
    return f"{text}{' Exactly one of these.' if is_one else ''}\n\n" if text else ""


def _table(part: dict[str, Any], definitions: dict[str, Any]) -> str:
    required = part.get("required", ())
    head = "| key | value | default | meaning |\n|---|---|---|---|\n"
    rows = []
    for key, setting in part.get("properties", {}).items():
        default = "**to be given**" if key in required else _default(setting)
        meaning = setting.get("description") or definitions.get(_part_of(setting), {}).get("description", "")
        meaning = " ".join(str(meaning).split()).replace("|", "\\|")
        rows.append(f"| `{key}` | {_value(setting)} | {default} | {meaning} |\n")
    return head + "".join(rows)


def _part_of(setting: dict[str, Any]) -> str:
    """The name of the part that may stand here; empty for a plain value."""
    inner = setting.get("allOf", [setting])[0]
    return str(inner.get("$ref", "")).removeprefix(_REF)


def _default(setting: dict[str, Any]) -> str:
    default = setting.get("default")
    if default is None or (isinstance(default, dict) and _part_of(setting) not in _LAWS):
        return ""  # a part's own settings say theirs
    if setting.get("unit") == "seconds":
        return f"`{format_duration(default)}`"
    if setting.get("unit") == "share":
        return f"`{default:.0%}`"
    if isinstance(default, dict) and "by_class" in default:
        default = default["by_class"][""]  # a law alone is the law of all
    written = default if isinstance(default, str) else json.dumps(default).replace('"', "")
    return f"`{written}`"


def _value(setting: dict[str, Any]) -> str:
    """What may be written, in a few words; parts are linked."""
    if "$ref" in setting:
        name = setting["$ref"].removeprefix(_REF)
        return f"[{name}](#{name.lower()})"
    if "allOf" in setting:
        return _value(setting["allOf"][0])
    if setting.get("unit") in _UNITS:
        return _UNITS[setting["unit"]] + _bounds({**setting["anyOf"][-1], **setting}, setting["unit"])
    if "anyOf" in setting:
        return " or ".join(dict.fromkeys(_value(branch) for branch in setting["anyOf"]))
    if "enum" in setting or "const" in setting:
        return ", ".join(f"`{word}`" for word in setting.get("enum", [setting.get("const")]))
    if setting.get("type") == "array":
        return f"list of {_value(setting['items'])}"
    if setting.get("type") == "object":
        inner = setting.get("additionalProperties")
        return f"mapping of {_value(inner)}" if isinstance(inner, dict) else "mapping"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
    return words.get(str(setting.get("type")), "value") + _bounds(setting)


def _bounds(setting: dict[str, Any], unit: str = "") -> str:
    shown = {"seconds": format_duration, "requests per second": format_rate, "share": "{:.0%}".format}.get(
        unit, "{:,.12g}".format
    )
    low: Any = setting.get("minimum", setting.get("exclusiveMinimum"))
    high: Any = setting.get("maximum", setting.get("exclusiveMaximum"))
    if unit and high in (SECONDS_MAX, 1, 1e6):
        high = None  # what no run comes near, or what the unit says already
    if high is not None and high > 1e15:
        high = None
    below = "below" if "exclusiveMaximum" in setting else "at most"
    bounds = [f"above {shown(low)}"] if "exclusiveMinimum" in setting else []
    bounds += [f"at least {shown(low)}"] if low and not bounds else []
    bounds += [f"{below} {shown(high)}"] if high is not None else []
    bounds += [f"at most {setting['maxLength']:,} characters"] if setting.get("maxLength") else []
    return "".join(f", {bound}" for bound in bounds)
