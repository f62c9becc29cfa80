"""A run's folder from its creation to its closing: manifest, parts, whole files; and opened again later.

The manifest says `running` from the first request until the folder is closed, so a folder at rest that says so belongs
to a run that was killed.
"""

import contextlib
import datetime
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from smbench.errors import ResultsError
from smbench.generator.plan import RunPlan, make_plan
from smbench.lifecycle.origin import Origin
from smbench.records import Ending
from smbench.results.damage import whole_checksums
from smbench.results.manifest import ClockFacts, EmulatorEffort, Host, Manifest, RayFacts, read_manifest
from smbench.results.store import compact, new_run_dir, uncompact
from smbench.scenario.explain import first_in_words
from smbench.scenario.model import Scenario, Seeds
from smbench.version import __version__

_RESERVE = ".reserve"  # a file of random bytes, removed before the run is closed: room for the last manifest
_RESERVE_BYTES = 131_072


class RunFolder:
    """One run on disk.

    Attributes:
        path: The folder.
        manifest: As it is on disk after `begin`; before that, as it will be.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path, self.manifest = path, manifest

    @classmethod
    def open(cls, results: Path, plan: RunPlan, origin: Origin, command: Sequence[str], n_workers: int) -> Self:
        """Make a new, empty folder below `results`.

        Raises:
            ResultsError: it cannot be made.
        """
        started = datetime.datetime.now(datetime.UTC)
        path = new_run_dir(results, plan.scenario.name, started)
        return cls(path, new_manifest(plan, origin, command, started, n_workers))

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open the folder of a run that was closed or killed, so that parts can be added and it can be closed again.

        Raises:
            ResultsError: it is no run, its manifest is damaged, or the folder cannot be written to.
        """
        manifest = read_manifest(path)
        uncompact(path)
        begun_again: dict[str, Any] = {"ending": Ending.RUNNING, "ended": None, "reason": "", "file_checksums": {}}
        folder = cls(path, manifest.model_copy(update={**begun_again, "resumes": manifest.resumes + 1}))
        folder._reserve()
        folder.manifest.write(path)
        return folder

    def will_claim(self, token: str) -> None:
        """Note the token before it is in the claim: a claim whose token no folder has could not be continued.

        Raises:
            ResultsError: it could not be written.
        """
        self.manifest = self.manifest.model_copy(update={"claims": (*self.manifest.claims, token)})
        self.manifest.write(self.path)

    def plan(self, base_dir: Path | None = None) -> RunPlan:
        """What the run was planned to do, made again from the manifest.

        Args:
            base_dir: Folder of the files that the scenario names; default: where it was when the run began.

        Raises:
            ScenarioError, UsageError: a file that the scenario names is missing.
            ResultsError: such a file has changed, so that the schedule or a payload is another.
        """
        return planned_again(self.manifest, str(self.path), base_dir)

    def begin(
        self,
        found: dict[str, Any],
        clock: ClockFacts,
        inapplicable: Iterable[str] = (),
        held: Mapping[str, Mapping[str, Any]] | None = None,
        endpoint_url: str | None = None,
        prices: Mapping[str, float] | None = None,
        niceness: Mapping[str, int] | None = None,
        cluster: str = "",
    ) -> None:
        """Write the manifest of a run whose target was found, before anything is sent.

        Args:
            held: What the workers made in AWS, for a resume after a kill.
            endpoint_url: Where AWS's services are reached; None: at AWS's own addresses.
            inapplicable: Checks and stages that mean nothing for this target.
            prices: USD in the place of list prices.
            niceness: Of the workers' processes, by their number; empty: not known.
            cluster: Address of the Ray cluster on which its workers outlive this process; empty: they do not.

        Raises:
            ResultsError: it could not be written.
        """
        self.manifest = self.manifest.model_copy(
            update={
                "clock": clock,
                "target": found,
                "inapplicable": tuple(sorted(inapplicable)),
                "held": {worker: dict(one) for worker, one in (held or {}).items()},
                "endpoint_url": endpoint_url,
                "prices": dict(prices or {}),
                "niceness": dict(niceness or {}),
                "ray": RayFacts(address=cluster, folder=self.path.stat().st_ino) if cluster else None,
            }
        )
        self._reserve()
        self.manifest.write(self.path)

    def _reserve(self) -> None:
        try:
            (self.path / _RESERVE).write_bytes(os.urandom(_RESERVE_BYTES))
        except OSError as error:
            raise ResultsError(f"cannot write to {self.path}: {error.strerror or error}", "make room") from error

    def close(
        self,
        ending: Ending,
        reason: str,
        notes: Sequence[str] = (),
        emulator: EmulatorEffort | None = None,
        held: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        lacks_rows: bool = False,
    ) -> list[ResultsError]:
        """Write how the run ended, make one file of each kind out of the parts, and note their checksums.

        Args:
            held: What stays in AWS for `smbench resume`.
            lacks_rows: What became of some rows could not be written. Where something is held the parts stay: beside
                them stand the workers' marks, by which a resume knows what was never sent.

        Returns:
            What could not be done, first things first; empty when all was. The parts stay where they could not be
            compacted, and every report reads them.
        """
        (self.path / _RESERVE).unlink(missing_ok=True)
        self.manifest = self.manifest.model_copy(
            update={
                "ended": datetime.datetime.now(datetime.UTC),
                "ending": ending,
                "reason": reason,
                "notes": tuple(notes),
                "file_checksums": {},  # those of before a resume, until there are new files
                "emulator": emulator,
                "held": {worker: dict(one) for worker, one in (held or {}).items()},
            }
        )
        problems = []
        for write in (self.manifest.write, *(() if lacks_rows and held else (self._make_whole,))):
            try:
                write(self.path)
            except ResultsError as error:
                problems.append(error)
        return problems

    def _make_whole(self, path: Path) -> None:
        compact(path)
        manifest = self.manifest.model_copy(update={"file_checksums": whole_checksums(path)})
        manifest.write(path)
        self.manifest = manifest

    def discard_if_unused(self) -> None:
        """Remove the folder of a run that never began; one that did keeps everything it has."""
        with contextlib.suppress(OSError):  # it is not empty, there no more, or cannot be written
            self.path.rmdir()


def planned_again(manifest: Manifest, where: str, base_dir: Path | None) -> RunPlan:
    """As `RunFolder.plan`, of a manifest in any place, which `where` names."""
    try:
        scenario = Scenario.model_validate(manifest.scenario)
    except ValidationError as error:
        raise ResultsError(
            f"the run in {where} has a scenario that this smbench cannot read: {first_in_words(error)}",
            f"smbench {manifest.smbench or 'of that time'} made it: use that one",
        ) from error
    plan = make_plan(scenario, base_dir or Path(manifest.scenario_folder))
    digests = {payload.name: payload.digest for payload in plan.payloads}
    if plan.schedule.digest != manifest.schedule_digest or digests != manifest.payload_digests:
        raise ResultsError(
            f"the run in {where} cannot be planned again: a payload or trace file has changed since it began",
            "put the files back as they were",
        )
    return plan


def new_manifest(
    plan: RunPlan, origin: Origin, command: Sequence[str], started: datetime.datetime, n_workers: int
) -> Manifest:
    """Of a run that has not begun."""
    scenario = plan.scenario
    return Manifest(
        smbench=__version__,
        run_id=f"smb-{secrets.token_hex(5)}",
        command=tuple(command),
        started=started,
        scenario=scenario.model_dump(mode="json", by_alias=True),
        scenario_file=origin.file,
        scenario_folder=str(origin.base_dir.resolve()),
        scenario_digest=origin.digest,
        seeds={dimension: scenario.seed_of(dimension) for dimension in Seeds.model_fields},
        schedule_digest=plan.schedule.digest,
        spans=plan.schedule.spans,
        payload_digests={payload.name: payload.digest for payload in plan.payloads},
        workers=n_workers,
        transport=scenario.transport,
        host=Host.this(),
    )
