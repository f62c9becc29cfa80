"""Parliament, a linter of IAM policies, on a document: what it finds, with the trade's names of the findings.

It asks setuptools for the paths of its own files, under a name that setuptools no longer has.
"""

import json
import sys
import warnings
from collections.abc import Mapping
from importlib.resources import files
from types import ModuleType
from typing import Any


def findings(policy: Mapping[str, Any]) -> list[str]:
    """Each as a line; empty where nothing is wrong."""
    paths = ModuleType("pkg_resources")
    paths.resource_filename = lambda package, name: str(files(package) / name)  # type: ignore[attr-defined]
    sys.modules.setdefault("pkg_resources", paths)
    with warnings.catch_warnings(action="ignore"):
        import parliament

        found = parliament.analyze_policy_string(json.dumps(policy)).findings
    return [f"{one.issue}: {one.detail}" for one in found]
