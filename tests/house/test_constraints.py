"""Goal: development and CI install the versions that constraints.txt names, and no others.

Method: read pyproject.toml's requirements; each must be named there, at a version that the requirement accepts.
"""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIRED = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = dict(line.split("==") for line in LINES if not line.startswith("#"))
VERSIONS = {canonicalize_name(name): version for name, version in PINNED.items()}


@pytest.mark.parametrize("text", REQUIRED)
def test_each_requirement_has_a_pinned_version_that_it_accepts(text: str) -> None:
    requirement = Requirement(text)
    version = VERSIONS.get(canonicalize_name(requirement.name))
    assert version is not None, "run `make constraints`"
    assert requirement.specifier.contains(version, prereleases=True), "run `make constraints`"


def test_constraints_name_packages_of_a_registry_only() -> None:
    """A path or an address would be of one machine."""
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9._+!-]+", line) for line in LINES if not line.startswith("#"))
