"""Changes one comparison, sign, condition, `and` or `or` at a time, and sees whether a test of the module's room fails.

    python bench/mutants.py --count 60 --seed 1
    python bench/mutants.py --count 20 --only scaler --only store

Each change is made in a copy of the repository in a temporary folder. The room's quick tests run; with `--slow` the
slow ones too, where all of those pass. A test that hangs counts as one that fails. Mutants that
`mutants_equivalent.txt` lists change nothing that a caller could see: they are counted apart. Exit status 1 where
another survives.
"""

import argparse
import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SOURCE = Path("src/smbench")
EQUIVALENT = Path(__file__).with_name("mutants_equivalent.txt")
COPIED = ("src", "tests", "scenarios", "docs", "bench", "results/sample", "pyproject.toml", "README.md", "CHANGELOG.md")
PATIENCE_S = 1_200.0  # of all slow tests of the analysis, where another program is at work too

TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "tracker": (
        ("generator/tracking/tracker.py",),
        ("tests/unit/generator", "tests/property/test_tracker.py", "tests/property/test_restore.py", "tests/engine"),
    ),
    "engine": (("generator/engine.py",), ("tests/engine", "tests/property/test_interruption.py")),
    "collector": (("generator/receiving/collector.py",), ("tests/engine",)),
    "scaler": (("model/scaling/scaler.py", "model/scaling/decisions.py"), ("tests/unit/model",)),
    "alarms": (("model/monitoring/alarms.py",), ("tests/unit/model",)),
    "endpoint": (("model/endpoints/endpoint.py",), ("tests/unit/model", "tests/property/test_model.py")),
    "bounds": (
        ("analysis/numbers/bounds.py",),
        ("tests/unit/analysis/test_bounds.py", "tests/property/test_summary.py", "tests/unit/analysis"),
    ),
    "intervals": (
        ("analysis/latency/intervals.py",),
        ("tests/unit/analysis/test_intervals.py", "tests/unit/analysis"),
    ),
    "objectives": (
        ("analysis/verdict/objectives.py",),
        ("tests/unit/analysis/test_thresholds.py", "tests/unit/analysis"),
    ),
    "store": (("results/store.py",), ("tests/unit/results", "tests/property/test_store.py")),
    "envelope": (("aws/transport/envelope.py",), ("tests/unit/aws/test_envelope.py", "tests/unit/aws")),
    "http1": (("wire/http1.py",), ("tests/unit/wire",)),
}
"""By name: its modules below src/smbench, and the tests of its room, those that look at it most first."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
SIGNS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: `before`, at an offset in bytes of a module's text, becomes `after`."""

    target: str
    module: str  # below src/smbench
    function: str
    line: int
    start: int
    end: int
    before: str
    after: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it although lines move."""
        return self.module, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{SOURCE / self.module}:{self.line}  {self.before}  =>  {self.after}"


def mutants_of(target: str, module: str) -> Iterator[Mutant]:
    """Every change of a module's text, in its order."""
    text = (ROOT / SOURCE / module).read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for function, node in _expressions(ast.parse(text), ""):
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        for after in _changed(node):
            yield Mutant(target, module, function, node.lineno, start, end, ast.unparse(node), ast.unparse(after))


def _expressions(node: ast.AST, function: str) -> Iterator[tuple[str, ast.expr]]:
    """Those that can be changed, each with the function it is in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.JoinedStr):  # its parts have no places of their own before Python 3.12
            continue
        inside = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = f"{function}.{child.name}".lstrip(".")
        if isinstance(child, ast.Compare | ast.BinOp | ast.BoolOp | ast.UnaryOp):
            yield inside, child
        elif _is_condition(node, child):
            assert isinstance(child, ast.expr)
            yield inside, child
        yield from _expressions(child, inside)


def _is_condition(parent: ast.AST, child: ast.AST) -> bool:
    if isinstance(parent, ast.If | ast.While | ast.IfExp):
        return child is parent.test and not (isinstance(child, ast.Name) and child.id == "TYPE_CHECKING")
    return isinstance(parent, ast.comprehension) and child in parent.ifs


def _changed(node: ast.expr) -> Iterator[ast.expr]:
    changed = copy.deepcopy(node)
    if isinstance(changed, ast.Compare):
        for place, operator in enumerate(changed.ops):
            changed.ops[place] = COMPARISONS[type(operator)]()
            yield changed
            changed.ops[place] = operator
    elif isinstance(changed, ast.BinOp):
        if type(changed.op) in SIGNS:
            changed.op = SIGNS[type(changed.op)]()
            yield changed
    elif isinstance(changed, ast.BoolOp):
        changed.op = ast.Or() if isinstance(changed.op, ast.And) else ast.And()
        yield changed
    elif isinstance(changed, ast.UnaryOp):
        if isinstance(changed.op, ast.USub | ast.Not):
            yield changed.operand
    else:
        yield ast.UnaryOp(ast.Not(), changed)


def survives(mutant: Mutant, copied: Path, marks: tuple[str, ...]) -> bool:
    """Whether every test of its room that has one of the marks passes with it."""
    file = copied / SOURCE / mutant.module
    text = file.read_bytes()
    try:
        file.write_bytes(text[: mutant.start] + f"({mutant.after})".encode() + text[mutant.end :])
        return passes(TARGETS[mutant.target][1], copied, marks)
    finally:
        file.write_bytes(text)


def passes(tests: tuple[str, ...], copied: Path, marks: tuple[str, ...]) -> bool:
    """Whether all tests pass in the copy."""
    return all(_status(tests, copied, mark) in (0, 5) for mark in marks)  # 5: there is none


def _status(tests: tuple[str, ...], copied: Path, marked: str) -> int:
    options = ["-x", "--timeout=120", "-q", "-p", "no:cacheprovider", "-m", marked]
    options += ["--hypothesis-seed=0", "--hypothesis-profile=unshrunk"]
    environment = os.environ | {"PYTHONPATH": str(copied / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=copied,
            env=environment,
            timeout=PATIENCE_S,
            capture_output=True,
        ).returncode
    except subprocess.TimeoutExpired:
        return 1


def known_equivalent() -> dict[tuple[str, ...], str]:
    """The reason why a mutant changes nothing, by its key; a line has the key's four parts and the reason."""
    lines = EQUIVALENT.read_text(encoding="utf-8").splitlines()
    parts = [line.split(" | ") for line in lines if line and not line.startswith("#")]
    return {tuple(key): reason for *key, reason in parts}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=sorted(TARGETS), help="repeat for several; default: all")
    parser.add_argument("--slow", action="store_true", help="try what survives the quick tests on the slow ones")
    asked = parser.parse_args()
    marks = ("not slow", "slow") if asked.slow else ("not slow",)
    every = [
        mutant
        for target in asked.only or TARGETS
        for module in TARGETS[target][0]
        for mutant in mutants_of(target, module)
    ]
    chosen = np.random.default_rng(asked.seed).permutation(len(every))[: asked.count]
    equivalent, left = known_equivalent(), []
    n_killed = n_equivalent = 0
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder)
        for name in COPIED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy2)(ROOT / name, copied / name)
        # Once, for no run writes any: a mutated module's time stamp is another, so its own text is read.
        subprocess.run([sys.executable, "-m", "compileall", "-q", copied / "src", copied / "tests"], check=True)
        for target in sorted({every[place].target for place in chosen}):
            if not passes(TARGETS[target][1], copied, marks[:1]):
                raise SystemExit(f"the tests of {target} fail without any change")
        for place in chosen:
            mutant = every[place]
            if mutant.key in equivalent:
                n_equivalent += 1
                print(f"equal     {mutant}", flush=True)
            elif survives(mutant, copied, marks):
                left.append(mutant)
                print(f"survived  {mutant}  in {mutant.function}", flush=True)
            else:
                n_killed += 1
                print(f"killed    {mutant}", flush=True)
    print(f"{len(chosen)} of {len(every)} mutants: {n_killed} killed, {n_equivalent} equivalent, {len(left)} survived")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
