"""Goal: what ships, and what `smbench init` writes, can be run as it is and says what it asks.

Method: load each, hold its head, its schema and its row of the table against it.
"""

from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from smbench.errors import UsageError
from smbench.scenario.describe import expected_requests
from smbench.scenario.load import load_scenario, parse_scenario
from smbench.scenario.payloads.bodies import load_payloads
from smbench.scenario.schema import json_schema
from smbench.scenario.starter import shipped_folder, shipped_names, shipped_scenario, starter_scenario

NAMES = shipped_names()
EXPECTED = {
    "quick-start", "steady-poisson", "burst-from-zero", "ramp-to-saturation", "drain-test", "diurnal-sine",
    "replay-azure-code", "replay-mooncake", "faulty-world", "closed-loop", "realtime-overload",
    "serverless-cold-starts", "streamed-answers",
}  # fmt: skip


def test_thirteen_scenarios_ship_and_the_quick_start_comes_first() -> None:
    assert set(NAMES) == EXPECTED
    assert NAMES[0] == "quick-start"


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_scenario_loads_and_has_its_payloads(name: str) -> None:
    path = shipped_scenario(name)
    scenario = load_scenario(path)
    assert scenario.name == name
    assert load_payloads(scenario, path.parent)
    assert scenario.target.endpoint is None
    assert scenario.thresholds


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_scenario_satisfies_the_schema(name: str) -> None:
    document = YAML(typ="safe", pure=True).load(shipped_scenario(name).read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(json_schema()).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_scenario_opens_with_its_question(name: str) -> None:
    first, question, third, *_ = shipped_scenario(name).read_text(encoding="utf-8").splitlines()
    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    assert question.startswith("# ")
    assert question.endswith("?")
    assert third == f"name: {name}"
    assert load_scenario(shipped_scenario(name)).description


@pytest.mark.slow
def test_the_table_of_scenarios_has_each_with_its_question_and_requests() -> None:
    table = (shipped_folder() / "README.md").read_text(encoding="utf-8")
    for name in NAMES:
        path = shipped_scenario(name)
        question = path.read_text(encoding="utf-8").splitlines()[1].removeprefix("# ")
        n = expected_requests(load_scenario(path))
        assert f"| `{name}` | {question} | {'' if n is None else f'{n:,.0f} |'}" in table


def test_the_quick_start_is_short() -> None:
    scenario = load_scenario(shipped_scenario("quick-start"))
    n = expected_requests(scenario)
    assert n is not None
    assert n <= 1800
    assert scenario.target.emulated.time == "warp"
    assert scenario.target.emulated.instances.at_start == 0


def test_the_faulty_world_has_every_fault_but_a_drift_and_a_quota_and_ten_thousand_requests() -> None:
    """Its ends are compared with the truth to the millisecond; a clock that drifts is in `cli/test_stage_truth.py`.
    With a quota it would not scale, and would not get through."""
    scenario = load_scenario(shipped_scenario("faulty-world"))
    faults = scenario.target.emulated.faults
    assert set(faults.model_dump(exclude_defaults=True)) == set(type(faults).model_fields) - {
        "clock_drift_ppm",
        "instance_quota",
    }
    assert expected_requests(scenario) == 10_000


def test_the_traces_are_whole_and_credited() -> None:
    credit = (shipped_folder() / "traces" / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for name, n_rows in (("azure_llm_code_2023.csv", 8819), ("mooncake_conversation.csv", 12031)):
        text = (shipped_folder() / "traces" / name).read_text(encoding="utf-8")
        assert len(text.strip().splitlines()) - 1 == n_rows
        assert name in credit


def test_a_shipped_scenario_is_found_with_or_without_its_ending() -> None:
    assert shipped_scenario("drain-test.yaml") == shipped_scenario("drain-test")


def test_a_name_that_does_not_ship_is_guessed() -> None:
    with pytest.raises(UsageError, match="did you mean 'quick-start'") as caught:
        shipped_scenario("quickstart")
    assert "steady-poisson" in caught.value.advice


def test_the_scenarios_are_found_inside_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "only.yaml").write_text("name: only\n")
    monkeypatch.setattr("smbench.scenario.starter.files", lambda _package: tmp_path)
    assert shipped_names() == ["only"]
    assert shipped_scenario("only") == tmp_path / "scenarios" / "only.yaml"


def test_the_starter_runs_as_it_is_under_its_name() -> None:
    scenario = parse_scenario(starter_scenario("my-question"), "my-question.yaml")
    assert scenario.name == "my-question"
    assert scenario.target.endpoint is None


def test_the_starter_explains_every_section_it_has_in_a_comment_before_it() -> None:
    lines = starter_scenario("x").splitlines()
    sections = [index for index, line in enumerate(lines) if line[:1].isalpha() and not line.startswith("description")]
    unexplained = [lines[index] for index in sections if not lines[index - 1].startswith("#")]
    assert unexplained == ["target:"]  # its parts are explained inside


@pytest.mark.parametrize("name", ["", "Two Words", "-x", "x" * 64, "a/b"])
def test_a_name_no_scenario_can_have_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be called"):
        starter_scenario(name)
