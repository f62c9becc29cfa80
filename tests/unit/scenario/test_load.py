"""Goal: a scenario that is wrong ends with everything that is wrong, each at its place and in words for a person.

Method: scenarios wrong in one known way each; the problem's place, path, words and guess are compared. What can be
wrong in the YAML itself is in test_source.py, any text at all in property/test_scenario_texts.py.
"""

import time
from pathlib import Path
from textwrap import dedent

import pytest

from smbench.errors import ExitCode, Problem, ScenarioError
from smbench.scenario.load import load_scenario, parse_scenario, scenario_of
from smbench.scenario.model import Scenario
from smbench.scenario.starter import shipped_names, shipped_scenario

SOUND = """\
name: sound
load:
  - poisson: {rate: 3/s, for: 10m}
"""


def problems(text: str, folder: Path | None = None) -> list[Problem]:
    file = str((folder or Path("nowhere")) / "x.yaml")
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(dedent(text), file)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.problems


def only(text: str, folder: Path | None = None) -> Problem:
    (problem,) = problems(text, folder)
    return problem


def test_a_sound_text_becomes_a_scenario_in_numbers() -> None:
    phase = parse_scenario(SOUND, "x.yaml").load[0].poisson
    assert phase is not None
    assert (phase.rate, phase.for_s) == (3.0, 600.0)


def test_all_problems_come_at_once_and_in_the_order_of_the_file() -> None:
    found = problems(
        """\
        name: Not Allowed
        drain: soon
        load:
          - poisson: {rate: 3, for: -1s}
        sed: 3
        thresholds: [speed < 3]
        """
    )
    assert [(problem.line, problem.where) for problem in found] == [
        (1, "name"), (2, "drain"), (4, "load.0.poisson.for"), (5, "sed"), (6, "thresholds.0"),
    ]  # fmt: skip


def test_the_message_is_one_line_a_problem_with_file_line_and_column() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(SOUND + "sed: 3\n", "folder/x.yaml")
    assert caught.value.message == "folder/x.yaml:4:1: sed: unknown key; did you mean 'seed'?"


@pytest.mark.parametrize(
    ("line", "where", "column", "words", "meant"),
    [
        ("seed: true", "seed", 7, "must be a whole number", ""),
        ("seed: 1.5", "seed", 7, "must be a whole number", ""),
        ("seed: '7'", "seed", 7, "must be a whole number", ""),
        ("seed: -1", "seed", 7, "must be at least 0", ""),
        ("description: 1.10", "description", 14, "must be text: put it in quotes", ""),
        ("drain: true", "drain", 8, "must be a duration such as 30s", ""),
        ("drain: .nan", "drain", 8, "must be a finite number", ""),
        ("drain: 1e999s", "drain", 8, "must be at most 366d", ""),
        ("limits: 5", "limits", 9, "must be a mapping with settings such as in_flight, errors", ""),
        ("limits: {errors: 120%}", "limits.errors", 18, "must be at most 100%", ""),
        ("limits: {in_flight: 1000000}", "limits.in_flight", 21, "must be at most 100,000", ""),
        ("seed: 9223372036854775808", "seed", 7, "must be at most 9,223,372,036,854,775,807", ""),
        ("request: {ttl: 59s}", "request.ttl", 16, "must be at least 1m", ""),
        ("request: {timeout: 1500ms}", "request.timeout", 20, "must be whole seconds", ""),
        ("request: {retry: {on: [throtle]}}", "request.retry.on.0", 24, "must be one of throttle", "throttle"),
        ("payloads: {inline: yes}", "payloads.inline", 20, "must be true or false", "true"),
        ("payloads: {synthetic: 1.5}", "payloads.synthetic", 23, "must be a whole number of bytes", ""),
        ("payloads: {files: a.json}", "payloads.files", 19, "must be a list", ""),
        ("payloads: {order: once, mix: [{synthetic: 1}]}", "payloads", 11, "`order: once` needs one source", ""),
        ("payloads: {mix: []}", "payloads.mix", 17, "must have at least one entry", ""),
        ("payloads: {files: []}", "payloads.files", 19, "must have at least one entry", ""),
        ("payloads: {prefix: bucket}", "payloads.prefix", 20, "must be an S3 location", ""),
        ("payloads: {synthetic: 1KiB, mix: [{}]}", "payloads.mix.0", 35, "exactly one of files, lines, pickled", ""),
        ("target: {instances: 1}", "target.instances", 10, "does not belong here", "target.emulated.instances"),
        ("target: {emulated: {kind: async}}", "target.emulated.kind", 21, "does not belong here", "target.kind"),
        ("target: {emulated: {drain: 1m}}", "target.emulated.drain", 21, "does not belong here", "drain"),
        ("target: {time: warp}", "target.time", 10, "does not belong here", "target.emulated.time"),
        ("target: {endpoint: my_endpoint}", "target.endpoint", 20, "must be an endpoint name", ""),
        ("target: {endpoint: x, emulated: {}}", "target", 9, "must name a real endpoint or", ""),
        ("target: {emulated: {time: warped}}", "target.emulated.time", 27, "one of real, warp, {scaled", "warp"),
        ("target: {emulated: {time: {scaled: 0}}}", "target.emulated.time.scaled", 36, "must be above 0", ""),
        ("target: {emulated: {time: {scaled: 3, pace: 3}}}", "target.emulated.time.pace", 39, "known here: scaled", ""),
        ("target: {emulated: {service: fast}}", "target.emulated.service", 30, "must be a duration such as", ""),
        ("target: {emulated: {service: [1]}}", "target.emulated.service", 30, "such as 30s, or exactly one", ""),
        ("target: {emulated: {service: {}}}", "target.emulated.service", 30, "must name exactly one law, not 0", ""),
        ("target: {emulated: {service: {by_class: {}}}}", "target.emulated.service.by_class", 41, "at least one", ""),
        ("target: {emulated: {instances: {start: 9}}}", "target.emulated.instances", 32, "start 9 is above max 4", ""),
        ("target: {emulated: {provision: {gama: {}}}}", "target.emulated.provision.gama", 33, "unknown key", "gamma"),
        ("thresholds: [sojorn_p95 < 8m]", "thresholds.0", 14, "there is no metric 'sojorn_p95'", "sojourn_p95"),
        ("thresholds: [backlog < 5%]", "thresholds.0", 14, "must be a whole number of requests", ""),
    ],
)  # fmt: skip
def test_each_mistake_is_told_at_its_place(line: str, where: str, column: int, words: str, meant: str) -> None:
    problem = only(SOUND + line + "\n")
    assert (problem.where, problem.line, problem.column, problem.meant) == (where, 4, column, meant)
    assert words in problem.message


@pytest.mark.parametrize(
    ("phase", "where", "words"),
    [
        ("{}", "load.0", "must name exactly one kind of load, not 0"),
        ("poisson", "load.0", "must be exactly one of constant"),
        ("{pause: {for: 1s}, burst: {requests: 1}}", "load.0", "must name exactly one kind of load, not 2"),
        ("burst: {within: 10s}", "load.0.burst.requests", "is missing: how many requests"),
        ("poisson: {rate: 3/s}", "load.0.poisson.for", "is missing: how long the phase lasts, such as 30s"),
        ("poisson: {rate: 3/s, for_s: 5}", "load.0.poisson.for_s", "unknown key"),
        ("poisson: {rate: 0, for: 5s}", "load.0.poisson.rate", "must be above 0/s"),
        ("burst: {requests: 1e9}", "load.0.burst.requests", "must be at most 50,000,000"),
        ("closed: {outstanding: 5, requests: 4}", "load.0.closed", "4 requests can never keep 5 outstanding"),
        ("ramp: {from: 0, to: 0, for: 1m}", "load.0.ramp", "sends nothing"),
        ("steps: {rates: [], each: 1m}", "load.0.steps.rates", "must have at least one entry"),
        ("replay: {trace: gone.csv}", "load.0.replay.trace", "there is no file"),
        ("constant: {rate: 1e5, for: 1h}", "load", "asks for about 360,000,000 requests"),
    ],
)  # fmt: skip
def test_each_mistake_in_a_phase_is_told(phase: str, where: str, words: str) -> None:
    problem = only(f"name: x\nload:\n  - {phase}\n")
    assert problem.where == where
    assert words in problem.message


@pytest.mark.parametrize(
    ("document", "where", "words"),
    [
        ("load: [{rate: 1/s, for: 5m}]", "load.0.rate", "as in constant: {rate: …} (or poisson, replay)"),
        ("load: [{rates: [1/s], each: 5m}]", "load.0.rates", "as in steps: {rates: …}"),
        (
            "load: [{burst: {requests: 1}}]\ntarget: {emulated: {service: {median: 4s, sigma: 0.6}}}",
            "target.emulated.service.median",
            "as in lognormal: {median: …}",
        ),
    ],
)
def test_settings_without_the_kind_that_they_belong_to_are_told_the_kinds(
    document: str, where: str, words: str
) -> None:
    found = {problem.where: problem for problem in problems(f"name: x\n{document}\n")}
    assert found[where].message == f"belongs one level deeper, {words}"
    assert found[where].meant == ""


def test_settings_at_the_indentation_of_their_kind_are_shown_where_they_belong() -> None:
    found = problems("name: x\nload:\n  - poisson:\n    rate: 3/s\n    for: 1m\n")
    assert [(problem.where, problem.meant) for problem in found] == [
        ("load.0.poisson", ""),
        ("load.0.rate", "load.0.poisson.rate"),
        ("load.0.for", "load.0.poisson.for"),
    ]
    assert "has no value" in found[0].message
    assert (found[0].line, found[0].column) == (3, 5)


def test_a_misspelt_key_is_one_problem_and_not_also_a_missing_one() -> None:
    assert only("name: x\nload:\n  - poisson: {rat: 3/s, for: 1m}\n").meant == "rate"


def test_a_key_far_from_all_others_lists_those_there_are() -> None:
    assert only(SOUND + "request: {zzz: 1}\n").message.startswith("unknown key; known here: ttl, timeout, content_type")


@pytest.mark.parametrize("key", ["content_type", "accept", "custom_attributes"])
@pytest.mark.parametrize("value", [r'"a\r\nx-amz-target: b"', r'"a\n"', r'"\0"', '"text/é"', r'"\x7f"'])
def test_what_would_not_stay_one_header_is_told(key: str, value: str) -> None:
    problem = only(SOUND + f"request: {{{key}: {value}}}\n")
    assert problem.where == f"request.{key}"
    assert "printable ASCII" in problem.message


@pytest.mark.parametrize("value", ["text/plain; charset=utf-8", "a  b", " a ", "~!@#$%^&*()", ""])
def test_every_printable_character_fits_a_header(value: str) -> None:
    assert parse_scenario(SOUND + f"request: {{accept: '{value}'}}\n", "x.yaml").request.accept == value


@pytest.mark.parametrize("prefix", [r"s3://bucket/a\nb", "s3://bücket/a", "s3://bucket/é"])
def test_a_prefix_travels_in_a_header_too(prefix: str) -> None:
    assert only(SOUND + f'payloads: {{prefix: "{prefix}"}}\n').where == "payloads.prefix"


def test_no_word_of_the_validator_reaches_the_reader() -> None:
    text = SOUND + "seeds: [1]\nlimits: {errors: {}, requests: []}\ncollector: {queue: 5}\ntarget: {kind: sync}\n"
    for problem in problems(text):
        told = f"{problem.where} {problem.message}"
        assert not any(word in told for word in ("Input", "valid", "pydantic", "literal", "function-", "a pace"))


def test_a_phase_after_an_endless_closed_loop_is_told() -> None:
    problem = only("name: x\nload:\n  - closed: {outstanding: 1, requests: 2}\n  - pause: {for: 1s}\n")
    assert (problem.where, problem.line) == ("load.0.closed", 3)
    assert "needs a `for`" in problem.message


def test_a_service_law_for_a_class_no_payload_has_is_told() -> None:
    text = (
        SOUND
        + "payloads: {synthetic: 1KiB}\ntarget:\n  emulated:\n    service:\n      by_class: {sinthetic: 1s, '': 2s}\n"
    )
    problem = only(text)
    assert (problem.where, problem.line, problem.meant) == (
        "target.emulated.service.by_class.sinthetic",
        8,
        "synthetic",
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{threshold: 1, steps: [{lower: 2, upper: 2, change: 1}]}", "lower 2 is not below upper 2"),
        ("{threshold: 1, datapoints: 3, of: 2, steps: [{change: 1}]}", "3 datapoints cannot be found in 2 periods"),
        ("{threshold: 1, steps: [{change: 1}, {lower: 5, change: 2}]}", "overlap"),
        ("{threshold: 1, steps: [{lower: 0, upper: 5, change: 1}, {lower: 4, change: 2}]}", "overlap"),
        ("{threshold: 1, steps: [{lower: 6, change: 2}, {lower: 0, upper: 5, change: 1}]}", "leave a gap"),
        (
            "{threshold: 1, min_magnitude: 2, steps: [{lower: 0, change: 1}]}",
            "min_magnitude goes with adjustment percent",
        ),
        ("{threshold: 1, adjustment: exact, steps: [{lower: 0, change: -1}]}", "it cannot be below 0"),
    ],
)
def test_a_step_policy_that_cannot_act_is_told(step: str, words: str) -> None:
    assert words in only(SOUND + f"target: {{emulated: {{policies: [step: {step}]}}}}\n").message


def test_payloads_without_a_service_law_are_told() -> None:
    text = SOUND + "payloads: {mix: [{name: a, synthetic: 9}, {name: b, synthetic: 9}]}\n"
    problem = only(text + "target: {emulated: {service: {by_class: {a: 1s}}}}\n")
    assert "gives no law for b" in problem.message


def test_an_inline_payload_above_the_limit_of_aws_is_told() -> None:
    assert parse_scenario(SOUND + "payloads: {synthetic: 128000, inline: true}\n", "x.yaml").payloads.inline
    problem = only(SOUND + "payloads: {synthetic: 128001, inline: true}\n")
    assert problem.where == "payloads.synthetic"
    assert "128,001 bytes; inline takes at most 128,000" in problem.message


def test_sense_is_checked_in_the_sound_sections_when_another_is_broken() -> None:
    found = problems("name: x\nload: []\npayloads: {synthetic: 1MB, inline: true}\n")
    assert [problem.where for problem in found] == ["load", "payloads.synthetic"]


def test_laws_are_not_held_against_payloads_that_could_not_be_read() -> None:
    laws = "target: {emulated: {service: {by_class: {image: 3s}}}}\n"
    assert only(SOUND + "payloads: {files: [gone.png]}\n" + laws).where == "payloads.files.0"


def test_no_drain_at_all_is_allowed() -> None:
    assert parse_scenario(SOUND + "drain: 0\n", "x.yaml").drain == 0


def test_files_are_looked_for_beside_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    text = SOUND + "payloads: {files: ['*.json', b.json]}\n"
    problem = only(text, tmp_path)
    assert problem.where == "payloads.files.1"
    assert str(tmp_path / "b.json") in problem.message
    (tmp_path / "b.json").write_text("{}")
    assert parse_scenario(text, str(tmp_path / "x.yaml")).payloads.files == ("*.json", "b.json")


def test_a_bad_line_of_a_payload_file_is_told_at_the_place_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"Body": "a"}\n{"Bdy": "b"}\n')
    problem = only(SOUND + "payloads: {lines: in.jsonl}\n", tmp_path)
    assert (problem.where, problem.line) == ("payloads.lines", 4)
    assert "in.jsonl line 2" in problem.message


def test_all_bad_lines_of_a_payload_file_are_told_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"Bdy": "a"}\n{"Body": "b"}\n{"Body": 3}\n')
    first, second = problems(SOUND + "payloads: {lines: in.jsonl}\n", tmp_path)
    assert "in.jsonl line 1: unknown key Bdy" in first.message
    assert "in.jsonl line 3: Body must be text" in second.message


@pytest.mark.slow
@pytest.mark.parametrize("at_root", [True, False])
def test_of_thousands_of_unknown_keys_the_first_hundred_are_explained_and_the_others_counted(at_root: bool) -> None:
    keys = "".join(f"{'' if at_root else '  '}k{number}: 1\n" for number in range(4_000))
    text = SOUND + ("" if at_root else "limits:\n") + keys
    began_s = time.process_time()
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "x.yaml")
    assert time.process_time() - began_s < 5  # 31 s when each was held against every other
    lines = caught.value.message.splitlines()
    assert len(lines) == 101
    assert ["k0: unknown key" in lines[0], "k99: unknown key" in lines[99]] == [True, True]
    assert lines[100] == "x.yaml: and 3,900 more problems"


@pytest.mark.slow
def test_a_section_of_which_no_problem_is_explained_any_more_is_broken_all_the_same() -> None:
    keys = "".join(f"a{number}: 1\n" for number in range(150))
    found = problems(keys + "payloads: {synthetic: 1MB, inline: true}\n" + SOUND + "seed: -1\n")
    assert found[-1].where == "payloads.synthetic"


@pytest.mark.slow
def test_lists_and_mappings_within_each_other_end_at_a_depth_that_no_scenario_has() -> None:
    for text in ("[" * 1_500, SOUND + "x: " + "{a: " * 1_500, SOUND + "".join(" " * n + "a:\n" for n in range(300))):
        assert only(text).message == "is nested more than 50 levels deep"


@pytest.mark.slow
def test_more_values_than_a_person_writes_are_refused_where_they_become_too_many() -> None:
    problem = only(SOUND + "x: [" + "1," * 30_000 + "]")
    assert "has more than 20,000 values" in problem.message
    assert problem.line == 4


@pytest.mark.parametrize(
    ("name", "words"),
    [("missing.yaml", "there is no such file"), (".", "is a folder")],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words):
        load_scenario(tmp_path / name)


def test_a_misspelt_file_name_is_guessed(tmp_path: Path) -> None:
    (tmp_path / "quick-start.yaml").write_text(SOUND)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "quick-strat.yaml")
    assert caught.value.problems[0].meant == str(tmp_path / "quick-start.yaml")


def test_the_name_of_a_shipped_scenario_leads_to_its_file(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "quick-start")
    assert caught.value.problems[0].meant == str(shipped_scenario("quick-start"))


@pytest.mark.parametrize(("given", "meant"), [("quickstart", "quick-start"), ("steady", "steady-poisson"), ("zzz", "")])
def test_a_misspelt_name_of_a_shipped_scenario_is_guessed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, meant: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(Path(given))
    assert caught.value.problems[0].meant == meant


def test_bytes_that_are_no_utf8_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"name: x\ndescription: caf\xe9\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    problem = caught.value.problems[0]
    assert (problem.message, problem.line, problem.column) == ("is not UTF-8 text", 2, 17)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode())
    assert load_scenario(path).name == "sound"


@pytest.mark.parametrize("name", shipped_names())
def test_a_scenario_written_out_with_every_default_is_as_sound_as_it_was(name: str) -> None:
    file = shipped_scenario(name)
    scenario = load_scenario(file)
    assert scenario_of(scenario.model_dump(mode="json", by_alias=True), file.parent) == scenario


def test_a_scenario_for_a_real_endpoint_can_be_written_and_read_back() -> None:
    scenario = Scenario.model_validate(
        {"name": "mine", "target": {"endpoint": "mine"}, "load": [{"pause": {"for": 1}}]}
    )
    assert Scenario.model_validate_json(scenario.model_dump_json(by_alias=True)) == scenario
