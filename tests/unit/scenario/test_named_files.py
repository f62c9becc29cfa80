"""Goal: every file that a scenario names is found, wherever in it the name stands, and nothing else is."""

from pathlib import Path

from smbench.scenario.model import Scenario
from smbench.scenario.values.files import named_files


def test_payloads_mixes_traces_and_globs_are_found_each_once(tmp_path: Path) -> None:
    for name in ("a.json", "b.json", "lines.jsonl", "bodies.txt", "trace.csv", "service.csv", "unnamed.json"):
        (tmp_path / name).touch()
    scenario = Scenario.model_validate(
        {
            "name": "x",
            "target": {"emulated": {"service": {"empirical": {"file": "service.csv"}}}},
            "payloads": {
                "mix": [{"files": ["[ab].json", "a.json"]}, {"lines": "lines.jsonl"}, {"bodies": "bodies.txt"}]
            },
            "load": [{"replay": {"trace": "trace.csv"}}],
        }
    )
    wanted = ["a.json", "b.json", "bodies.txt", "lines.jsonl", "service.csv", "trace.csv"]
    assert named_files(scenario, tmp_path) == [tmp_path / name for name in wanted]
