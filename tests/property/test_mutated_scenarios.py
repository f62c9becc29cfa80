"""Goal: whatever stands in a scenario file, `validate` answers, soon, and with no more than a sentence a problem.

Method: mutants of sound scenarios; `python tests/support/mutated_scenarios.py` reads ten thousand, and measures memory.
"""

import shutil
from pathlib import Path

import pytest

from mutated_scenarios import examine, mutants
from smbench.scenario.starter import shipped_folder


@pytest.mark.slow
def test_a_mutant_of_a_scenario_gets_an_answer_and_no_traceback(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder(), tmp_path / "scenarios")
    outcome = examine(mutants(150, seed=7), tmp_path / "scenarios")
    assert outcome.crashes == []
    assert outcome.slow == []
    assert outcome.n_sound > 0
    assert outcome.n_refused > 0


def test_a_few_of_them_in_every_run_of_the_tests(tmp_path: Path) -> None:
    shutil.copytree(shipped_folder(), tmp_path / "scenarios")
    outcome = examine(mutants(8, seed=8), tmp_path / "scenarios")
    assert (outcome.crashes, outcome.slow) == ([], [])
