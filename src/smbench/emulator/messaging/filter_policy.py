"""SNS filter policies, compiled once a subscription: JSON rules in, a predicate on messages out.

Keys are joined by AND, the rules of a key by OR, the branches of `$or` by OR. A key names its place by names joined
with dots, and so does a message: `{"a.b": 1}` and `{"a": {"b": 1}}` are alike to every policy. Keys that meet in one
array of objects must hold in one and the same object of it.

Source: SNS developer guide, "Filter policy constraints", "AND/OR logic", "Key matching"; dots in names, the count of
combinations and the sentences of refusal as AWS answered public test suites (2024-05).
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from smbench.emulator.messaging.filter_rules import ABSENT, FilterError, Predicate, compile_rule, stars

Matcher = Callable[[dict[str, Any]], bool]  # on the whole message
Branch = tuple[tuple[str, tuple[Predicate, ...]], ...]  # keys with dots, and the rules of each

POLICY_MAX_BYTES = 262_144
COMBINATIONS_MAX = 150
KEYS_MAX = 5  # at the top level
NAMES_MAX = 100  # of a key, dots and `$or` counted; SNS has no such limit, and no policy that needs more
STARS_MAX, STAR_POINTS_MAX = 3, 100  # in one pattern; over the policy, as `_star_points` counts


def compile_policy(text: str, *, on_body: bool) -> Matcher:
    """The predicate of a filter policy. The empty policy takes every message, any other no message without members.

    Args:
        text: The policy as JSON.
        on_body: Scope MessageBody: keys may nest. Otherwise they name message attributes.

    Raises:
        FilterError: the text says what SNS would.
    """
    if len(text.encode("utf-8", "surrogatepass")) > POLICY_MAX_BYTES:
        raise FilterError("FilterPolicy: Filter policy is too long")
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError:  # also for JSON too deep to read
        raise FilterError("FilterPolicy: failed to parse JSON.") from None
    if not isinstance(policy, dict):
        raise FilterError("FilterPolicy: Filter policy must be a JSON object")
    _check_size(policy, on_body)
    if not policy:
        return lambda _message: True
    matchers = [_matcher(tuple(branch.items())) for branch in _branches(policy, "")]
    return matchers[0] if len(matchers) == 1 else lambda message: any(matches(message) for matches in matchers)


def attribute_values(attributes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Message attributes as the values that a policy speaks of; binary ones cannot be filtered on."""
    values: dict[str, Any] = {}
    for name, attribute in attributes.items():
        data_type, text = attribute["DataType"], attribute.get("StringValue", "")
        if data_type == "String.Array":
            values[name] = _array(text)
        elif data_type.startswith("Number"):
            values[name] = float(text)
        elif data_type.startswith("String"):
            values[name] = text
    return values


def _array(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


# The policy as written


def _check_size(policy: dict[str, Any], on_body: bool) -> None:
    """Refuse a policy that is larger than SNS allows, before anything is made of it."""
    combinations = _combinations(policy, 1, 1, on_body)
    if len(set(_top_level_names(policy))) > KEYS_MAX:
        raise FilterError(f"FilterPolicy: Filter policy can not have more than {KEYS_MAX} keys")
    if combinations > COMBINATIONS_MAX:
        raise _too_complex()
    if _star_points(policy) > STAR_POINTS_MAX:
        raise FilterError("FilterPolicy: Rule is too complex - try using fewer wildcard characters")


def _is_or(key: str, value: Any) -> bool:
    """Whether this is the operator; in any other form `$or` is a key like all."""
    return key == "$or" and isinstance(value, list) and len(value) > 1 and all(isinstance(item, dict) for item in value)


def _top_level_names(policy: dict[str, Any]) -> Iterator[str]:
    for key, value in policy.items():
        if _is_or(key, value):
            for branch in value:
                yield from _top_level_names(branch)
        else:
            yield key


def _combinations(policy: dict[str, Any], depth: int, n_names: int, on_body: bool) -> int:
    """Each key's number of rules times its depth, multiplied over keys, added over the branches of `$or`."""
    total = 1
    for key, value in policy.items():
        n_with = n_names + key.count(".")
        if n_with > NAMES_MAX:
            raise _too_complex()
        if _is_or(key, value):
            total *= sum(_combinations(branch, depth, n_with + 1, on_body) for branch in value)
        elif isinstance(value, list):
            if not value:
                raise FilterError("FilterPolicy: Empty arrays are not allowed")
            total *= len(value) * depth
        elif not isinstance(value, dict):
            raise FilterError(f'FilterPolicy: "{key}" must be an object or an array')
        elif not on_body:
            raise FilterError("Filter policy scope MessageAttributes does not support nested filter policy")
        elif not value:
            raise FilterError("FilterPolicy: Empty objects are not allowed")
        else:
            total *= _combinations(value, depth + 1, n_with + 1, on_body)
    return total


def _star_points(policy: dict[str, Any]) -> int:
    """A pattern of one star counts one, of more stars three each; a key's sum counts once for each of its patterns."""
    total = 0
    for key, value in policy.items():
        if isinstance(value, dict):
            total += _star_points(value)
        elif _is_or(key, value):
            total += sum(_star_points(branch) for branch in value)
        elif any(found := [n for rule in value for n in stars(rule)]):
            if max(found) > STARS_MAX:
                raise FilterError(f"FilterPolicy: A pattern must not have more than {STARS_MAX} wildcards")
            total += sum(3 * n if n > 1 else n for n in found) * len(found)
    return total


def _too_complex() -> FilterError:
    return FilterError("FilterPolicy: Filter policy is too complex")


def _branches(policy: dict[str, Any], prefix: str) -> list[dict[str, tuple[Predicate, ...]]]:
    """The policy without `$or`: any of these, each with all of its keys."""
    branches: list[dict[str, tuple[Predicate, ...]]] = [{}]
    for key, value in policy.items():
        if _is_or(key, value):
            alternatives = [branch for written in value for branch in _branches(written, prefix)]
        elif isinstance(value, dict):
            alternatives = _branches(value, f"{prefix}{key}.")
        else:
            alternatives = [{prefix + key: tuple(compile_rule(rule) for rule in value)}]
        branches = [before | then for before in branches for then in alternatives]
    return branches


# The message


def _matcher(branch: Branch) -> Matcher:
    if len(branch) > 1 or len(branch[0][1]) > 1:
        return lambda message: bool(message) and _holds(message, branch)
    path, (rule,) = branch[0]

    def matches(message: dict[str, Any]) -> bool:
        value = message.get(path)
        if isinstance(value, str):  # a run's own subscription, once a message: nothing to look into
            return rule(value)
        return bool(message) and _holds(message, branch)

    return matches


def _holds(message: dict[str, Any], wanted: Branch) -> bool:
    """Whether every key of the branch has a value here that one of its rules takes."""
    below: dict[str, list[tuple[str, tuple[Predicate, ...]]]] = {}
    for path, rules in wanted:
        value = message.get(path, ABSENT)
        if isinstance(value, str):  # nothing to look into: the usual case
            if not any(rule(value) for rule in rules):
                return False
            continue
        name = path if value is not ABSENT else _first_name(message, path)
        if name is None:
            if not any(rule(ABSENT) for rule in rules):
                return False
        else:
            below.setdefault(name, []).append((path[len(name) + 1 :], rules))
    return all(_holds_below(message[name], tuple(rest)) for name, rest in below.items())


def _first_name(message: dict[str, Any], path: str) -> str | None:
    """The member that the path leads through: the longest of its beginnings that there is; None when there is none."""
    end = path.rfind(".")
    while end > 0:
        if path[:end] in message:
            return path[:end]
        end = path.rfind(".", 0, end)
    return None


def _holds_below(value: Any, wanted: Branch) -> bool:
    return any(_holds_in(item, wanted) for item in _items(value))


def _items(value: Any) -> Iterator[Any]:
    """The value, or what is in its arrays; an array of nothing is as if it were not there."""
    if not isinstance(value, list):
        yield value
        return
    pending, n_found = [value], 0
    while pending:  # no recursion: arrays may nest as deep as JSON can be read
        item = pending.pop()
        if isinstance(item, list):
            pending += reversed(item)
        else:
            n_found += 1
            yield item
    if not n_found:
        yield ABSENT


def _holds_in(item: Any, wanted: Branch) -> bool:
    if isinstance(item, dict):
        ends, deeper = ABSENT, tuple(pair for pair in wanted if pair[0])  # an object is no value: only leaves match
    else:
        ends, deeper = item, ()
    for rest, rules in wanted:
        if rest and isinstance(item, dict):
            continue
        if not any(rule(ABSENT if rest else ends) for rule in rules):
            return False
    return not deeper or _holds(item, deeper)
