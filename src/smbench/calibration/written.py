"""A fitted model as files: a scenario with its provenance as comments, the services it draws from, and its record."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from smbench.calibration.alarm_seconds import as_initial
from smbench.calibration.configured import as_written
from smbench.calibration.delays import Delay
from smbench.calibration.fit import Fit
from smbench.calibration.parameter import Parameter, Source
from smbench.calibration.record import ModelRecord, physics_digest, record_path
from smbench.calibration.service import Service, without_hosts
from smbench.errors import ResultsError
from smbench.held_folder import HeldFolder
from smbench.results.files import write_whole
from smbench.scenario.load import load_scenario
from smbench.version import __version__

_ARRIVALS = "arrivals"
_SIZE_ASSUMED = 1024  # bytes of a payload whose size is not known; no law depends on it


def write_model(fit: Fit, path: Path) -> ModelRecord:
    """Put the scenario, its CSV files and its record beside each other, or none of them.

    Raises:
        ResultsError: they cannot be written.
    """
    files = _files(fit, path)
    try:
        with HeldFolder.make("model") as folder:  # what cannot be read back is not written
            for name, content in files.items():
                (folder / name).write_bytes(content)
            scenario = load_scenario(folder / path.name)
            digest = physics_digest(scenario, folder)
        record = ModelRecord(
            smbench=__version__,
            runs=fit.runs,
            fingerprints=fit.fingerprints,
            latency_s=fit.latency_s,
            parameters=fit.parameters,
            digest=digest,
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if name != path.name:
                write_whole(path.parent / name, content)
        record.write(record_path(path))
        write_whole(path, files[path.name])
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror or error}", "--out names another place") from error
    return record


def _files(fit: Fit, path: Path) -> dict[str, bytes]:
    files = {path.name: _text(fit, path.stem).encode()}
    for one in fit.services.by_class:
        values = without_hosts(one, fit.spread)
        files[_service_file(path.stem, one)] = _csv("service_s", values)
    files[f"{path.stem}.{_ARRIVALS}.csv"] = _csv("at_s", fit.arrivals.at_s)
    return files


def _csv(head: str, values: npt.NDArray[np.float64]) -> bytes:
    return "\n".join([head, *(f"{value:.6f}" for value in values.tolist()), ""]).encode()


def _service_file(stem: str, one: Service) -> str:
    return f"{stem}.service{'-' + one.payload_class if one.payload_class else ''}.csv"


def _text(fit: Fit, stem: str) -> str:
    name = "".join(char if char.isalnum() else "-" for char in stem.lower()).strip("-")[:60] or "fitted"
    lines = [
        f"# Fitted by smbench {__version__} from: {', '.join(fit.runs)}",
        "# Each value: ± standard error, n observations, [source]. Sources: L0 client, L1 notices,",
        "# L2 scaling activities, alarms and instance counts, L3 CloudWatch, set: a setting,",
        "# assumed: these runs cannot say.",
        *(f"# {note}" for note in fit.notes),
        *(f"# Not in the model: {note}" for note in fit.lacking),
        f"name: {name}",
        f"description: Fitted from {_shortened(fit.runs)}",
        "target:",
        *([] if fit.set_up.instance_hour is None else [f"  instance_hour: {fit.set_up.instance_hour:g}"]),
        "  emulated:",
        *(f"    {line}" for line in _emulated(fit, stem)),
        *_load(fit, stem),
    ]
    return "\n".join([*lines, ""])


def _shortened(runs: tuple[str, ...]) -> str:
    return ", ".join(runs[:3]) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")


def _emulated(fit: Fit, stem: str) -> Iterator[str]:
    said = {each.name: each for each in fit.parameters}
    for each in fit.parameters:
        if each.name.startswith(("concurrency", "service")):
            yield f"# {in_words(each)}"
    limits = fit.set_up
    counts = f"min: {limits.min}, max: {max(limits.max, fit.start)}, start: {fit.start}, concurrency: {fit.slots}"
    if said["concurrency of an instance"].value is None:
        yield f"# concurrency {fit.slots} and the services under it are assumed: the least that explains the ends"
    yield f"instances: {{{counts}}}"
    yield from _service(fit, stem)
    yield f"# {in_words(said['spread of speeds'])}"
    yield f"service_spread: {round(min(0.5, fit.spread), 4)}"
    yield from _law(said["provisioning"], "provision", fit.provisioning)
    yield from _law(said["removal"], "remove", fit.removal)
    yield f"# {in_words(said['detection, breach to decision'])}"
    yield from _law(said["metric delay"], "metric_delay", fit.detection.metric_delay)
    yield from _law(said["action after the alarm"], "action_delay", fit.detection.action)
    yield from _law(said["notification lag"], "notify_lag", fit.notification)
    yield f"# {in_words(said['failed in the container'])}"
    yield f"faults: {{container_errors: {round(fit.failed_share, 6)}}}"
    if limits.policies:
        yield "policies:" + ("" if limits.is_read else "  # as the scenario of the run has them")
        for policy in limits.policies:
            yield f"  - {orjson.dumps(as_written(policy)).decode()}"
    yield f"# {in_words(said['scale-in of target tracking'])}"
    yield f"open_questions: {orjson.dumps({**limits.questions, 'scale_in': fit.scale_in}).decode()}"
    yield from _initial(fit, said)
    yield "time: warp"


def _initial(fit: Fit, said: dict[str, Parameter]) -> Iterator[str]:
    yield from (f"# {in_words(said[one.name])}" for one in fit.alarm_seconds)
    seconds = [as_written(one) for one in as_initial(fit.alarm_seconds)]
    if not (fit.set_up.idle_s or seconds):
        return
    yield "initial:"
    if fit.set_up.idle_s:
        yield f"  idle: {fit.set_up.idle_s:g}s  # an alarm on low values was on before the run"
    if seconds:
        yield f"  alarm_seconds: {orjson.dumps(seconds).decode()}"


def _service(fit: Fit, stem: str) -> Iterator[str]:
    laws = [(one.payload_class, _law_of(one, stem)) for one in fit.services.by_class]
    if len(laws) == 1:
        yield f"service: {laws[0][1]}"
        return
    yield "service:"
    yield "  by_class:"
    for name, law in laws:
        yield f'    "{name}": {law}'


def _law_of(one: Service, stem: str) -> str:
    block = f", block: {one.block}" if one.block > 1 else ""
    return f"{{empirical: {{file: '{_service_file(stem, one)}', column: service_s{block}}}}}"


def _law(parameter: Parameter, key: str, delay: Delay) -> Iterator[str]:
    """A comment, and the law where there is one; without it the default of a scenario holds."""
    yield f"# {in_words(parameter)}"
    if delay.law:
        yield f"{key}: {delay.law if isinstance(delay.law, str) else orjson.dumps(delay.law).decode()}"


def _load(fit: Fit, stem: str) -> Iterator[str]:
    if fit.request:
        yield f"request: {orjson.dumps(fit.request).decode()}"
    known = {one.payload_class for one in fit.services.by_class} - {""}
    mix = [(name, size, n) for name, size, n in fit.payloads if name in known]
    if len(mix) > 1:
        others = sum(n for name, _, n in fit.payloads if name not in known)
        yield "payloads:"
        yield "  mix:"
        for name, size, n in [*mix, *([("other", None, others)] if others else [])]:
            yield f'    - {{name: "{name}", synthetic: {size or _SIZE_ASSUMED}, weight: {n}}}'
    for each in fit.parameters:
        if "arrivals" in each.name:
            yield f"# {in_words(each)}"
    yield "load:"
    yield f"  - replay: {{trace: '{stem}.{_ARRIVALS}.csv', column: at_s, unit: s}}"


def in_words(parameter: Parameter) -> str:
    """A parameter on one line."""
    unit = {"": "", "share": "", "/s": "/s"}.get(parameter.unit, f" {parameter.unit}")
    if parameter.value is None:
        value = "unknown"
    else:
        value = parameter.value if isinstance(parameter.value, str) else f"{parameter.value:.4g}{unit}"
    error = f" ± {parameter.error:.2g}{unit}" if parameter.error is not None else ""
    n = f", n {parameter.n:,}" if parameter.n else ""
    note = f": {parameter.note}" if parameter.note else ""
    if parameter.source is Source.ASSUMED and parameter.value is None:
        return f"{parameter.name}: {value} [assumed]{note}"
    return f"{parameter.name} {value}{error}{n} [{parameter.source.value}]{note}"
