"""Benchmark Amazon SageMaker inference endpoints, asynchronous ones first, and trust the answer.

The Python API is what `__all__` names; `docs/python.md` shows its use. A name is imported when it is first asked for,
so `import smbench` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smbench.version import __version__ as __version__

if TYPE_CHECKING:
    from smbench.api.account import Cleaned, Examination, clean, doctor, estimate
    from smbench.api.compare import ComparisonResult, compare
    from smbench.api.deciding.prices import prices
    from smbench.api.deciding.scaling_target import ScalingTarget, scaling_target
    from smbench.api.deploy import Deployed, Destroyed, deploy, destroy
    from smbench.api.emulate import emulate
    from smbench.api.importing import import_run
    from smbench.api.machines.processing import run_job
    from smbench.api.predicting.advise import Advised, advise
    from smbench.api.predicting.calibrate import Calibration, calibrate
    from smbench.api.predicting.check_model import CheckedModel, check_model
    from smbench.api.predicting.simulate import simulate
    from smbench.api.predicting.what_if import WhatIf, what_if
    from smbench.api.report import report
    from smbench.api.result import Run
    from smbench.api.resume import resume
    from smbench.api.run import run
    from smbench.api.scenarios import Validation, validate
    from smbench.api.sweeping.search import resume_search, search
    from smbench.api.sweeping.search_result import Search
    from smbench.api.sweeping.sweep import resume_sweep, sweep
    from smbench.api.sweeping.sweep_result import Sweep
    from smbench.errors import SmbenchError
    from smbench.scenario.deploy import Deploy
    from smbench.scenario.model import Scenario


__all__ = [
    "Advised",
    "Calibration",
    "CheckedModel",
    "Cleaned",
    "ComparisonResult",
    "Deploy",
    "Deployed",
    "Destroyed",
    "Examination",
    "Run",
    "ScalingTarget",
    "Scenario",
    "Search",
    "SmbenchError",
    "Sweep",
    "Validation",
    "WhatIf",
    "advise",
    "calibrate",
    "check_model",
    "clean",
    "compare",
    "deploy",
    "destroy",
    "doctor",
    "emulate",
    "estimate",
    "import_run",
    "policy",
    "prices",
    "report",
    "resume",
    "resume_search",
    "resume_sweep",
    "run",
    "run_job",
    "scaling_target",
    "search",
    "simulate",
    "sweep",
    "validate",
    "what_if",
]

_MODULES = {
    "Advised": "api.predicting.advise",
    "Calibration": "api.predicting.calibrate",
    "Cleaned": "api.account",
    "CheckedModel": "api.predicting.check_model",
    "ComparisonResult": "api.compare",
    "Deploy": "scenario.deploy",
    "Deployed": "api.deploy",
    "Destroyed": "api.deploy",
    "Examination": "api.account",
    "Run": "api.result",
    "Scenario": "scenario.model",
    "Search": "api.sweeping.search_result",
    "SmbenchError": "errors",
    "Sweep": "api.sweeping.sweep_result",
    "Validation": "api.scenarios",
    "WhatIf": "api.predicting.what_if",
    "advise": "api.predicting.advise",
    "calibrate": "api.predicting.calibrate",
    "check_model": "api.predicting.check_model",
    "clean": "api.account",
    "compare": "api.compare",
    "deploy": "api.deploy",
    "destroy": "api.deploy",
    "doctor": "api.account",
    "emulate": "api.emulate",
    "estimate": "api.account",
    "import_run": "api.importing",
    "policy": "api.policy",
    "prices": "api.deciding.prices",
    "ScalingTarget": "api.deciding.scaling_target",
    "scaling_target": "api.deciding.scaling_target",
    "report": "api.report",
    "resume": "api.resume",
    "resume_search": "api.sweeping.search",
    "resume_sweep": "api.sweeping.sweep",
    "run": "api.run",
    "run_job": "api.machines.processing",
    "search": "api.sweeping.search",
    "simulate": "api.predicting.simulate",
    "sweep": "api.sweeping.sweep",
    "validate": "api.scenarios",
    "what_if": "api.predicting.what_if",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'smbench' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smbench.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
