"""SNS filter policies: what matches, what SNS refuses and in which words, and what no policy or message can break.

Method: tables from the developer guide and from what AWS answered public test suites; a slow evaluation of the same
rules on random policies; policies and messages as deep as JSON can be.
"""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.emulator.messaging.filter_policy import attribute_values, compile_policy
from smbench.emulator.messaging.filter_rules import FilterError

BODY = {
    "s": "abc",
    "n": 5,
    "t": True,
    "z": None,
    "list": ["x", "abc"],
    "empty": [],
    "deep": {"er": [{"k": 1}, {"k": "v"}]},
    "ip": "10.0.0.7",
    "ip6": "2001:db8::1",
}


@pytest.mark.parametrize(
    ("policy", "is_match"),
    [
        ({"s": ["abc"]}, True),
        ({"s": ["ABC"]}, False),
        ({"s": ["x", "abc"]}, True),
        ({"s": ["abc"], "n": [6]}, False),
        ({"n": [5.0]}, True),
        ({"n": ["5"]}, False),
        ({"t": [True]}, True),
        ({"t": [1]}, False),
        ({"z": [None]}, True),
        ({"gone": [None]}, False),
        ({"s": [{"prefix": "ab"}]}, True),
        ({"s": [{"suffix": "bc"}]}, True),
        ({"s": [{"wildcard": "a*c"}]}, True),
        ({"s": [{"equals-ignore-case": "ABC"}]}, True),
        ({"s": [{"anything-but": "abc"}]}, False),
        ({"s": [{"anything-but": ["x", "y"]}]}, True),
        ({"s": [{"anything-but": {"prefix": "ab"}}]}, False),
        ({"s": [{"anything-but": {"suffix": "x"}}]}, True),
        ({"gone": [{"anything-but": "x"}]}, False),
        ({"gone": [{"exists": False}]}, True),
        ({"s": [{"exists": True}]}, True),
        ({"s": [{"exists": False}]}, False),
        ({"n": [{"numeric": [">", 0, "<=", 5]}]}, True),
        ({"n": [{"numeric": ["<", 5]}]}, False),
        ({"n": [{"numeric": ["=", 5]}]}, True),
        ({"s": [{"numeric": [">", 0]}]}, False),
        ({"s": [{"prefix": {"equals-ignore-case": "AB"}}]}, True),
        ({"s": [{"suffix": {"equals-ignore-case": "X"}}]}, False),
        ({"s": [{"wildcard": "*"}]}, True),
        ({"s": [{"wildcard": r"a\*c"}]}, False),
        ({"s": [{"anything-but": {"equals-ignore-case": ["ABC", "x"]}}]}, False),
        ({"s": [{"anything-but": {"wildcard": "x*"}}]}, True),
        ({"n": [{"anything-but": [4, 5]}]}, False),
        ({"ip": [{"cidr": "10.0.0.0/24"}]}, True),
        ({"ip": [{"cidr": "10.0.0.255/24"}]}, True),
        ({"ip": [{"cidr": "10.0.1.0/24"}]}, False),
        ({"ip6": [{"cidr": "2001:db8::/32"}]}, True),
        ({"s": [{"cidr": "10.0.0.0/24"}]}, False),
        ({"z": [{"exists": True}]}, False),
        ({"deep": [{"exists": True}]}, False),
        ({"empty": [{"exists": False}]}, True),
        ({"list": ["x"]}, True),
        ({"list": [{"anything-but": "x"}]}, True),
        ({"deep": {"er": {"k": ["v"]}}}, True),
        ({"deep": {"er": {"k": ["w"]}}}, False),
        ({"$or": [{"s": ["no"]}, {"n": [5]}]}, True),
        ({"$or": [{"s": ["no"]}, {"n": [6]}]}, False),
        ({}, True),
    ],
)
def test_a_filter_policy_matches_as_the_guide_says(policy: dict[str, Any], is_match: bool) -> None:
    assert compile_policy(json.dumps(policy), on_body=True)(BODY) is is_match


DOTTED = [
    {"object": {"nested": {"test": "s"}}},
    {"object.nested.test": "s"},
    {"object.nested": {"test": "s"}},
    {"object": {"nested.test": "s"}},
    {"object": [{"nested": {"test": ["s"]}}]},
]


@pytest.mark.parametrize("message", DOTTED)
@pytest.mark.parametrize(
    "policy",
    [{"object.nested.test": ["s"]}, {"object": {"nested": {"test": ["s"]}}}, {"object": {"nested.test": ["s"]}}],
)
def test_dots_in_names_and_nesting_are_alike(policy: dict[str, Any], message: dict[str, Any]) -> None:
    matches = compile_policy(json.dumps(policy), on_body=True)
    assert matches(message)
    assert not matches(json.loads(json.dumps(message).replace('"s"', '"other"')))
    assert not matches({"object": "s"})


RECORDS = {"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}}, "eventName": [{"prefix": "ObjectCreated:"}]}}


@pytest.mark.parametrize(
    ("records", "is_match"),
    [
        ([{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "auto-1"}}}], True),
        ([{"eventName": "ObjectCreated:Put", "s3": {"object": [[{"key": "auto-1"}]]}}, {"eventName": "x"}], True),
        ([{"eventName": "ObjectRemoved:Delete", "s3": {"object": {"key": "auto-1"}}}], False),
        (
            [
                {"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "home-1"}}},
                {"s3": {"object": {"key": "auto-1"}}},
            ],
            False,
        ),
    ],
)
def test_keys_that_meet_in_an_array_hold_in_one_object_of_it(records: list[Any], is_match: bool) -> None:
    assert compile_policy(json.dumps(RECORDS), on_body=True)({"Records": records}) is is_match


def test_or_joins_branches_at_any_depth() -> None:
    policy = {
        "$or": [{"metricName": ["CPU", "Latency"]}, {"namespace": ["EC2", "ES"]}],
        "detail": {"scope": ["Service"], "$or": [{"source": ["cloudwatch"]}, {"type": ["Alarm"]}]},
    }
    matches = compile_policy(json.dumps(policy), on_body=True)
    assert matches({"metricName": "CPU", "detail": {"scope": "Service", "source": "cloudwatch"}})
    assert matches({"namespace": "ES", "detail": {"scope": "Service", "type": "Alarm"}})
    assert not matches({"metricName": "CPU", "detail": {"scope": "Service"}})
    assert not matches({"detail": {"scope": "Service", "type": "Alarm"}})
    assert not matches({"metricName": "EC2", "detail": {"scope": "Service", "type": "Alarm"}})


def test_an_or_with_one_branch_is_a_key_like_all() -> None:
    assert compile_policy('{"$or": ["x"]}', on_body=True)({"$or": "x"})


def test_no_policy_but_the_empty_one_takes_a_message_without_members() -> None:
    assert compile_policy("{}", on_body=True)({})
    for rules in ('[{"exists": false}]', '["x", {"exists": false}]'):
        assert not compile_policy(f'{{"k": {rules}}}', on_body=True)({})
        assert compile_policy(f'{{"k": {rules}}}', on_body=True)({"other": 1})


LETTERS = [f"v{i}" for i in range(200)]
OR_OF_150 = {
    "source": LETTERS[:3],
    "$or": [
        {"metricName": LETTERS[:6]},
        {"metricType": LETTERS[:4], "$or": [{"metricId": LETTERS[:4]}, {"spaceId": LETTERS[:7]}]},
    ],
}
OR_OF_152 = {
    "source": LETTERS[:4],
    "$or": [
        {"metricName": LETTERS[:6]},
        {"metricType": LETTERS[:4], "$or": [{"metricId": LETTERS[:4]}, {"spaceId": LETTERS[:4]}]},
    ],
}
TOO_COMPLEX = "Filter policy is too complex"
NO_VALUE = "Match value must be String, number, true, false, or null"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("{", "failed to parse JSON"),
        ("[]", "must be a JSON object"),
        ({"a": "b"}, '"a" must be an object or an array'),
        ({"a": []}, "Empty arrays are not allowed"),
        ({"a": {}}, "Empty objects are not allowed"),
        ({"a": [["b"]]}, NO_VALUE),
        ({"a": [{"odd": 1}]}, "Unrecognized match type odd"),
        ({"a": [{"prefix": "x", "suffix": "y"}]}, "Only one key allowed in match expression"),
        ({"a": [{"prefix": 1}]}, "prefix match pattern must be a string"),
        ({"a": [{"suffix": ["x", "y"]}]}, "suffix match pattern must be a string"),
        ({"a": [{"exists": "yes"}]}, "exists match pattern must be either true or false."),
        ({"a": [{"numeric": []}]}, "Invalid member in numeric match: ]"),
        ({"a": [{"numeric": [1, "<="]}]}, "Invalid member in numeric match: 1"),
        ({"a": [{"numeric": [">"]}]}, "Value of > must be numeric"),
        ({"a": [{"numeric": ["=", "000"]}]}, "Value of equals must be numeric"),
        ({"a": [{"numeric": ["~", 1]}]}, "Unrecognized numeric range operator: ~"),
        ({"a": [{"numeric": ["<", 100, ">", 10]}]}, "Too many elements in numeric expression"),
        ({"a": [{"numeric": [">=", 1, ">", 2]}]}, "Bad numeric range operator: >"),
        ({"a": [{"numeric": [">", 3, "<", 1]}]}, "Bottom must be less than top"),
        ({"a": [{"numeric": [">", 20, 30]}]}, "Bad value in numeric range: 30"),
        ({"a": [{"numeric": [">", 20, "<", 30, "<", 50]}]}, "Too many terms in numeric range expression"),
        ({"a": [{"anything-but": []}]}, "Empty arrays are not allowed"),
        ({"a": [{"anything-but": ["x", 1]}]}, "mixed type is not supported"),
        ({"a": [{"anything-but": {"numeric": 1}}]}, "Unsupported anything-but pattern: numeric"),
        ({"a": [{"cidr": 10}]}, "prefix match pattern must be a string"),
        ({"a": [{"cidr": "10.0.0.0"}]}, "Malformed CIDR, one '/' required"),
        ({"a": [{"cidr": "10.0.0.0/x"}]}, "Malformed CIDR, mask bits must be an integer"),
        ({"a": [{"cidr": "10.0.0/8"}]}, "Nonstandard IP address: 10.0.0"),
        ({"a": [{"wildcard": "a**b"}]}, "Consecutive wildcard characters"),
        ({"a": [{"wildcard": "a*b*c*d*"}]}, "more than 3 wildcards"),
        ({"a": [{"wildcard": f"*{i}*"} for i in range(5)]}, "using fewer wildcard characters"),
        ({name: ["x"] for name in "abcdef"}, "can not have more than 5 keys"),
        ({"$or": [{name: ["x"]} for name in "abcdef"]}, "can not have more than 5 keys"),
        ({"a": LETTERS[:151]}, TOO_COMPLEX),
        ({"a": LETTERS[:20], "b": LETTERS[:20]}, TOO_COMPLEX),
        ({"a": {"b": {"c": LETTERS[:4]}}, "d": {"e": LETTERS[:3], "f": LETTERS[:2]}}, TOO_COMPLEX),  # 12 x 6 x 4
        (OR_OF_152, TOO_COMPLEX),
    ],
)
def test_a_filter_policy_that_sns_refuses_is_refused_in_its_words(policy: Any, words: str) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    with pytest.raises(FilterError) as error:
        compile_policy(text, on_body=True)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "policy",
    [
        {"a": LETTERS[:150]},
        {"a": LETTERS[:15], "b": LETTERS[:10]},
        {"a": {"b": {"c": LETTERS[:4]}}, "d": {"e": LETTERS[:3]}, "f": LETTERS[:2]},  # 12 x 6 x 2 = 144
        {"detail": {name: ["x"] for name in "abcdef"}},  # one key at the top: 2 x 2 x 2 x 2 x 2 x 2 = 64
        {name: ["x"] for name in "abcde"},
        OR_OF_150,
        {"a": [{"wildcard": f"*{i}*"} for i in range(4)]},
    ],
)
def test_a_filter_policy_at_its_limits_is_accepted(policy: dict[str, Any]) -> None:
    compile_policy(json.dumps(policy), on_body=True)


def nested(depth: int, inner: str, opening: str, closing: str) -> str:
    return opening * depth + inner + closing * depth


@pytest.mark.parametrize(
    "policy",
    [
        nested(900, '["x"]', '{"a":', "}"),
        nested(2000, '["x"]', '{"a":', "}"),
        nested(400, '{"a":["x"]}', '{"$or":[{"b":["x"]},', "]}"),
        json.dumps({"a." * 5000 + "a": ["x"]}),
        '{"a":["x"],' + nested(400, '["x"]', '"b":{"a":', "}") + "}",
    ],
)
def test_a_policy_too_deep_is_refused_and_breaks_nothing(policy: str) -> None:
    with pytest.raises(FilterError):
        compile_policy(policy, on_body=True)


@pytest.mark.parametrize("body", [nested(1000, '"x"', "[", "]"), nested(900, '"x"', '{"a":', "}")])
def test_a_message_however_deep_is_matched(body: str) -> None:
    message = {"a": orjson.loads(body), "b": "y"}  # as deep as a body can be read
    assert compile_policy('{"a": ["x"]}', on_body=True)(message) is body.startswith("[")
    assert not compile_policy(json.dumps({"a." * 99 + "a": ["x"]}), on_body=True)(message)


def test_attributes_are_filtered_by_their_type() -> None:
    attributes: dict[str, dict[str, Any]] = {
        "s": {"DataType": "String", "StringValue": "1"},
        "n": {"DataType": "Number.int", "StringValue": "1"},
        "a": {"DataType": "String.Array", "StringValue": '["x", 2, null]'},
        "b": {"DataType": "Binary", "BinaryValue": b"x"},
    }
    values = attribute_values(attributes)
    assert values == {"s": "1", "n": 1.0, "a": ["x", 2, None]}
    assert compile_policy('{"n": [1], "s": ["1"], "a": [2], "b": [{"exists": false}]}', on_body=False)(values)
    with pytest.raises(FilterError):
        compile_policy('{"a": {"nested": ["x"]}}', on_body=False)


TEXTS = st.text("ab", max_size=3)
RULES = st.one_of(
    TEXTS,
    st.integers(0, 3),
    TEXTS.filter(bool).map(lambda text: {"prefix": text}),
    TEXTS.map(lambda text: {"anything-but": text}),
    st.booleans().map(lambda flag: {"exists": flag}),
    st.integers(0, 3).map(lambda bound: {"numeric": [">=", bound]}),
)
KEYS = st.sampled_from(["k", "l"])


def slow_match(rule: Any, message: dict[str, Any], key: str) -> bool:
    """One rule, as the guide words it."""
    if isinstance(rule, dict):
        ((kind, operand),) = rule.items()
        if kind == "exists":
            return message.get(key, "") != "" if operand else key not in message
        value = message.get(key)
        if kind == "prefix":
            return isinstance(value, str) and value[: len(operand)] == operand
        if kind == "numeric":
            return isinstance(value, int) and value >= operand[1]
        return key in message and value != operand
    return key in message and message[key] == rule


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(
    policy=st.dictionaries(KEYS, st.lists(RULES, min_size=1, max_size=3), max_size=2),
    message=st.dictionaries(KEYS, st.one_of(TEXTS, st.integers(0, 3)), max_size=2),
)
def test_keys_are_joined_by_and_rules_by_or(policy: dict[str, Any], message: dict[str, Any]) -> None:
    is_seen = bool(message) or not policy
    expected = is_seen and all(any(slow_match(rule, message, key) for rule in rules) for key, rules in policy.items())
    assert compile_policy(json.dumps(policy), on_body=True)(message) is expected
