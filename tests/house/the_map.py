"""docs/map.md, drawn from the modules' own docstrings: the title is what stands before the first colon or semicolon."""

import ast
import re
from pathlib import Path

ROOMS = {
    "": "The ground: what everything else is made of",
    "tables": "Files of other programs, as columns",
    "pricing": "List prices, and what an inference costs at them",
    "scenario": "From a file a person wrote to a frozen question",
    "scenario/values": "Quantities, distributions, seeds and files: what a scenario's fields are made of",
    "scenario/payloads": "The bodies that requests carry",
    "schedule": "The load as data, before anything is sent",
    "model": "The endpoint as theory: no time but the time it is given",
    "model/endpoints": "Endpoints: their capacity, their queue, every request's one end, and the metrics they publish",
    "model/monitoring": "Metrics by the minute, metric mathematics, and alarms",
    "model/scaling": "Scaling policies, what they propose, and the scaler that decides",
    "stack": "What `deploy` makes, as a template that AWS will take",
    "results": "What is on disk, and its law",
    "wire": "Signatures and HTTP/1.1 for the hot calls, without the SDK",
    "importing": "Another tool's latencies as a results folder",
    "generator": "The load generator: one worker's share of a run as one task tree",
    "generator/tracking": "What is known of every request, and what is written of it",
    "generator/receiving": "Notices out of the run's own queue, and their deletion",
    "aws/access": "Clients, credentials, and what a refusal means",
    "aws/endpoint": "What AWS says of an endpoint: its description, metrics, scaling and alarms",
    "aws/transport": "The hot calls, through the SDK and on the wire",
    "aws/setup": "What a run makes before it starts: a queue, inputs in S3",
    "aws/stacks": "A benchmark's CloudFormation stack: changed, followed, deleted",
    "aws/jobs": "Jobs of SageMaker: started, looked at, stopped",
    "emulator": "AWS's wire formats around the model",
    "emulator/protocol": "HTTP, signatures and AWS's protocols",
    "emulator/cloudformation": "Stacks of the emulated region: templates, functions, kinds of resources",
    "emulator/s3": "The emulated S3",
    "emulator/messaging": "The emulated SQS and SNS",
    "emulator/monitoring": "The emulated CloudWatch and Application Auto Scaling",
    "emulator/sagemaker": "The emulated SageMaker: control plane, runtime, and what follows an inference's end",
    "simulator": "The model without a network, a clock or a loop",
    "prediction": "What the model says of another policy, another minimum, another load",
    "analysis": "Frames in, figures and findings out",
    "analysis/numbers": "Order, bounds and small statistics",
    "analysis/rows": "A run's rows with what follows from each",
    "analysis/capacity": "Instances, slots and scaling over time",
    "analysis/latency": "Stages, percentiles and their intervals",
    "analysis/verdict": "Checks and thresholds",
    "analysis/comparison": "Groups of runs against a baseline",
    "calibration": "A model of an endpoint fitted from its runs",
    "calibration/checking": "How well a model predicts a run",
    "sweeping": "Many runs for one answer: which configuration to take, and the highest rate that is kept",
    "view": "How anything is drawn and printed",
    "view/live": "What a person sees while a run goes on",
    "view/sections": "What a report says, before it is drawn as text, page, Markdown or JSON",
    "view/report": "What is printed of a run, for people and for programs",
    "view/page": "What a person passes on: a run's report and a comparison as one page each, and their plots",
    "targets": "What is measured: each kind of endpoint behind one protocol",
    "processes": "Processes: parent, worker, emulator, and the channels between them",
    "processes/clusters": "Workers on a Ray cluster, which may outlive their parent and be led by another",
    "lifecycle": "The life of a run: opened, begun, carried out, closed, opened again",
    "lifecycle/processing": "A run as a SageMaker processing job: packed, started, followed, collected",
    "lifecycle/background": "Runs that other processes find, watch and end, and runs without a terminal",
    "account": "An AWS account before a run and after it: asked, allowed, cleaned",
    "ceiling": "The most that this generator can send on this machine",
    "api": "The Python API: what a script, a notebook and the command line call",
    "prediction/engine": "The fast engine: one scenario as the model predicts it, without an entry for each request",
    "api/machines": "A run that several machines share, by files or as a job",
    "api/predicting": "The model of an endpoint, fitted, checked and asked what another policy would do",
    "api/sweeping": "Many runs for one answer: a matrix of scenarios, and the highest rate that is kept",
    "api/deciding": "What to buy and how to scale it: the price list, and a scaling target that was tried",
    "cli": "The command line",
    "cli/machines": "Runs that several machines share, by files or as a job",
    "cli/background": "Runs of other processes: watched, ended, listed",
    "cli/predicting": "The commands that fit a model and predict with it",
    "cli/sweeping": "The commands that make many runs",
    "cli/signatures": "The commands as a user types them: names, options and help",
}
READ_FIRST = {  # the others of a room follow in alphabetical order
    "": ("errors", "findings", "records", "clock", "ports", "snapshot"),
    "scenario": ("model", "phases", "emulated", "load"),
    "scenario/values": ("quantities", "record"),
    "scenario/payloads": ("bodies",),
    "tables": ("foreign", "table", "opening"),
    "pricing": ("table", "inference"),
    "sweeping": (
        "question",
        "matrix",
        "benchmarks",
        "figures",
        "ranking",
        "asked",
        "demands",
        "offered",
        "probe",
        "capacity",
    ),
    "schedule": ("base", "arrivals", "plan"),
    "model": ("event_queue", "service", "world"),
    "model/endpoints": ("endpoint", "fleet"),
    "model/monitoring": ("series", "metrics"),
    "model/scaling": ("policies", "decisions", "scaler"),
    "results": ("schema", "store", "manifest", "law"),
    "importing": ("folder", "roles", "requests"),
    "generator": ("plan", "assembly", "control", "engine", "runner"),
    "generator/tracking": ("ledger", "tracker"),
    "generator/receiving": ("collector", "receivers", "deletions"),
    "wire": ("sigv4", "http1", "pool", "origin"),
    "aws/access": ("clients",),
    "aws/endpoint": ("description", "gauges"),
    "aws/transport": ("invoke", "notices", "wire_service", "wire_invoke", "wire_notices"),
    "emulator": ("server", "site", "driver"),
    "emulator/protocol": ("front", "http"),
    "emulator/s3": ("service",),
    "emulator/messaging": ("sqs", "queue", "sns"),
    "emulator/monitoring": ("cloudwatch", "autoscaling"),
    "emulator/sagemaker": ("control_plane", "hosting", "runtime", "completion"),
    "simulator": ("simulate",),
    "analysis": ("summary", "detectors"),
    "analysis/rows": ("frames",),
    "analysis/capacity": ("instances",),
    "analysis/verdict": ("checks",),
    "analysis/comparison": ("compare",),
    "calibration": ("fit", "runs"),
    "calibration/checking": ("check",),
    "view/live": ("terminal", "screen"),
    "view/sections": ("blocks", "order"),
    "view/report": ("text",),
    "view/page": ("page", "comparison_page", "document", "gallery", "pictures"),
    "targets": ("base", "queued"),
    "processes": ("channel", "messages", "session", "worker"),
    "lifecycle": ("folder", "carry_out"),
    "account": ("doctor", "questions"),
    "ceiling": ("measurement",),
    "api": ("run", "result"),
    "cli": ("app", "run"),
}
STARRED = (  # the story of one request, and of the run around it
    "scenario/model.py",
    "schedule/arrivals.py",
    "lifecycle/carry_out.py",
    "processes/session.py",
    "targets/queued.py",
    "ports.py",
    "generator/engine.py",
    "generator/tracking/tracker.py",
    "model/endpoints/endpoint.py",
    "results/schema.py",
    "analysis/summary.py",
    "analysis/verdict/checks.py",
)
HEAD = """\
# The map

Where to find the file to change: twelve modules to read first, a table of changes, and every module by its title, in
reading order. A module's own docstring says more. What the processes are and why: [design.md](design.md).

```
 scenario/ ──▶ schedule/ ──▶ lifecycle/ ──▶ processes/ ──▶ generator/ ──▶ results/ ──▶ analysis/ ──▶ view/
 what a        every due     one run, from   parent and     engine,        parquet      figures,      what a
 person        instant       plan to         workers        tracker,       and          checks        person
 wrote                       folder              │          ledger         manifest                   sees
                                                 ▼              │
                                             targets/           │ ports
                                             set up, watch      ▼
                                                 └────────▶ aws/ wire/ ──HTTP──▶ AWS, or emulator/ around model/
```

Imports run downhill only; import-linter checks it (`pyproject.toml`).
`pytest tests/house --update-golden` draws this page again from the modules' docstrings.

## The twelve to read first

| module | what it is |
|---|---|
{starred}

## To change something

| to change | open first |
|---|---|
{changes}
"""
CHANGES = (  # what a reader wants to change, and the modules to open
    ("a field of the scenario", ("scenario/model.py", "scenario/phases.py", "scenario/emulated.py")),
    ("a load phase, or when requests are due", ("schedule/arrivals.py", "schedule/plan.py")),
    (
        "how a request is sent, and what an answer means",
        ("wire/pool.py", "aws/transport/wire_invoke.py", "aws/transport/invoke.py"),
    ),
    ("how ends are found", ("generator/receiving/collector.py", "generator/receiving/looks.py")),
    ("what is known of a request", ("generator/tracking/tracker.py", "records.py")),
    ("a column of a file", ("results/schema.py", "generator/tracking/journal.py")),
    ("how the emulated endpoint behaves", ("model/endpoints/endpoint.py", "model/scaling/scaler.py")),
    (
        "an AWS operation that the emulated region answers",
        ("emulator/protocol/front.py", "emulator/sagemaker/control_plane.py"),
    ),
    ("a check of a run", ("analysis/verdict/checks.py", "analysis/verdict/generator_checks.py")),
    ("a threshold", ("scenario/thresholds.py", "analysis/verdict/objectives.py")),
    ("a figure of the report", ("analysis/summary.py", "view/sections/order.py")),
    ("the live view", ("view/live/screen.py", "view/live/blocks.py")),
    ("the page and its plots", ("view/page/page.py", "view/page/gallery.py")),
    ("a kind of target", ("targets/base.py", "targets/kinds.py")),
    ("a command", ("cli/app.py", "cli/signatures/running.py")),
    ("a list price", ("pricing/table.py",)),
)


def the_map(source: Path) -> str:
    """The whole document."""
    rooms = [_room(source, room, title) for room, title in ROOMS.items()]
    starred = [_row(source, source / name) for name in STARRED]
    changes = [f"| {what} | {', '.join(_named(source, name) for name in names)} |" for what, names in CHANGES]
    return "\n".join([HEAD.format(starred="\n".join(starred), changes="\n".join(changes)), *rooms])


def _named(source: Path, name: str) -> str:
    if not (source / name).is_file():
        raise FileNotFoundError(f"the map sends its reader to {name}, which is not there")
    return f"`{name}`"


def _room(source: Path, room: str, title: str) -> str:
    files = [path for path in (source / room).glob("*.py") if path.name not in ("__init__.py", "__main__.py")]
    first = READ_FIRST.get(room, ())
    files.sort(key=lambda path: (first.index(path.stem) if path.stem in first else len(first), path.name))
    rows = [f"- {_starred(source, path)} {title_of(path)}" for path in files]
    return "\n".join([f"## {room or 'smbench'}", "", f"{title}.", "", *rows, ""])


def _starred(source: Path, path: Path) -> str:
    name = path.relative_to(source).as_posix()
    return f"{'★ ' * (name in STARRED)}`{name}`"


def _row(source: Path, path: Path) -> str:
    return f"| {_starred(source, path)} | {first_sentence(path)} |"


def title_of(path: Path) -> str:
    """Of a module: what its docstring opens with, up to the first colon or semicolon; no stop at its end."""
    return re.split(r"[:;](?=\s)", first_sentence(path))[0].rstrip(".")


def first_sentence(path: Path) -> str:
    """Of a module's docstring."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.split("\n\n")[0].split())
    sentence = re.match(r".+?[.!?](?=\s|$)", paragraph)
    return (sentence[0] if sentence else paragraph).replace("|", "\\|")
