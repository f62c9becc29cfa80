"""Goal: a run that was killed together with its emulated endpoint is closed honestly, and only once.

Method: folders as a killed run leaves them, written by hand; an endpoint that outlives the run needs processes, so
`tests/cli/test_workers.py` and `bench/kills.py` have it.
"""

import contextlib
import shutil
from pathlib import Path
from typing import Any

import anyio
import polars as pl
import pytest

import smbench
from doubles import FakeEndpoint
from fake_aws import target as endpoint_found
from runs import manifest_of, span
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.setup.claim import SEEN_S
from smbench.aws.transport.outputs import S3Outputs
from smbench.clock import LoopClock, WarpLoop
from smbench.errors import ResultsError, TargetError
from smbench.generator.assembly import ShareRun
from smbench.generator.control import Control
from smbench.generator.plan import RunPlan, make_plan
from smbench.generator.runner import Outside
from smbench.generator.shares import Share
from smbench.generator.taking_up import TakenUpShare, TakingUp
from smbench.generator.tracking.rows import requests_frame
from smbench.generator.tracking.tracker import Tracker
from smbench.lifecycle import resume
from smbench.lifecycle.folder import RunFolder
from smbench.lifecycle.origin import Origin
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import SessionEnd
from smbench.records import Accepted, Ending, Notice, Outcome, OutputFound
from smbench.results import marks
from smbench.results.law import Counts, row_violations
from smbench.results.manifest import ClockFacts, read_manifest
from smbench.results.marks import Mark, sole_user
from smbench.results.store import PartWriter, open_run
from smbench.scenario.model import Scenario
from smbench.targets.base import AwsAccess
from smbench.targets.kinds import target_of
from smbench.view.live.choose import NoView
from whole_story import any_keys, plan_of, region, story

SCENARIO: dict[str, Any] = {
    "name": "killed",
    "target": {"emulated": {"time": "real"}},
    "load": [{"constant": {"rate": "10/s", "for": "1s"}}],
}
EPOCH_NS = 1_795_230_000_000_000_000


def killed(results: Path, *, reached: int | None = 5, target: dict[str, Any] = SCENARIO["target"]) -> Path:
    """Row 0 ended, row 1 was accepted, row 2 had no answer; the rest is not in the files, row 5 was handed over."""
    plan = make_plan(Scenario.model_validate(SCENARIO | {"target": target}), results)
    folder = RunFolder.open(results, plan, Origin(results, "scenario.yaml", "digest"), ("smbench", "run"), 1)
    _write(plan, folder)
    folder.begin(endpoint_found().as_json(), ClockFacts(kind="real", epoch_ns=EPOCH_NS))
    mark = Mark.open(folder.path, 0)
    if reached is not None:
        mark.begin(reached)
    mark.close()
    return folder.path


def _write(plan: RunPlan, folder: RunFolder) -> None:
    ledger = plan.ledger(plan.schedule.shard(0, 1), folder.manifest.run_id, EPOCH_NS)
    tracker = Tracker(ledger)
    for row in range(3):
        tracker.sent(row, row * 100_000_000)
    tracker.accepted(1, 200_000_000, Accepted("s3://b/out/1.out"))
    done_utc_ns = EPOCH_NS + 250_000_000
    tracker.noticed(
        Notice(ledger.inference_id(0), Outcome.COMPLETED, EPOCH_NS + 1_000_000, done_utc_ns, done_utc_ns), 300_000_000
    )
    writer = PartWriter(folder.path, "requests", 0)
    for versions in ledger.take_all():
        writer.write(requests_frame(versions))


def outcomes(path: Path) -> list[str]:
    rows = open_run(path).requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, 10) == []
    told: list[str] = rows.sort("seq")["outcome"].to_list()
    return told


@pytest.mark.slow
def test_what_ended_with_its_emulated_endpoint_stays_unknown_and_what_was_never_sent_is_not_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = killed(tmp_path)
    run = smbench.resume(path, progress="none")
    assert outcomes(path) == ["completed", "pending", "transport_error", *["unknown"] * 3, *["not_sent"] * 4]
    assert run.failure is not None
    assert "its emulated endpoint ended with it: the ends of 1 accepted requests" in run.failure
    assert "what became of 4 more, stay unknown" in run.failure
    assert open_run(path).is_compacted
    before = open_run(path).requests.collect()
    smbench.resume(path, progress="plain")
    assert "nothing is left to resume" in capsys.readouterr().err
    assert open_run(path).requests.collect().equals(before)


@pytest.mark.slow
def test_without_a_mark_nothing_is_called_not_sent(tmp_path: Path) -> None:
    path = killed(tmp_path, reached=None)
    smbench.resume(path, progress="none")
    assert outcomes(path)[3:] == ["unknown"] * 7


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 3, 10, 11])
def test_what_is_left_is_the_same_however_many_rows_are_looked_at_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    path = killed(tmp_path)
    smbench.resume(path, progress="none")
    monkeypatch.setattr(resume, "_ROWS_AT_ONCE", at_once)
    assert resume.Left.of(path) == resume.Left(pending=1, unanswered=1, unknown=3, unsent=4)


def test_a_run_that_goes_on_is_not_resumed(tmp_path: Path) -> None:
    path = killed(tmp_path)
    with sole_user(path), pytest.raises(ResultsError, match="going on in another process"):
        smbench.resume(path, progress="none")
    assert pl.scan_parquet(path / "parts" / "requests-0-*.parquet").collect().height == 10


def test_what_never_began_says_so(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(ResultsError, match="nothing was sent"):
        smbench.resume(tmp_path, progress="none")


def test_a_clock_that_is_behind_the_runs_last_word_takes_nothing_up_and_little_later_nothing_is_called_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = killed(tmp_path, target={"endpoint": "mine"})
    monkeypatch.setattr(resume, "wall_ns", lambda: EPOCH_NS - 3_600_000_000_000)
    with pytest.raises(ResultsError, match=r"clock is 60 m behind the last record"):
        smbench.resume(path, progress="none", region="eu-west-1")
    monkeypatch.setattr(resume, "wall_ns", lambda: EPOCH_NS + 1_000_000_000)
    monkeypatch.setattr(resume, "machine_started_utc_ns", lambda: None)
    folder = RunFolder.reopen(path)
    how = resume._how(folder, folder.plan(), sends=False)
    assert how.alive_until_ns == 300_000_000 + 30_000_000_000, "another machine's clock may be ahead"


@pytest.mark.slow  # a run in virtual time, with clients of its own
def test_what_was_perhaps_sent_counts_for_the_limit_of_requests_that_a_resume_sends(tmp_path: Path) -> None:
    scenario = Scenario.model_validate({**SCENARIO, "target": {"endpoint": "mine"}, "limits": {"requests": 7}})
    plan, share = make_plan(scenario, tmp_path), Share("killed")
    before = ShareRun(plan, share, tmp_path)
    before.write_first_versions(EPOCH_NS)
    before.close()
    with contextlib.closing(Mark.open(tmp_path, 0)) as mark:
        mark.begin(3)  # four of ten left, and no file says so
    manifest_of([span(10)], ending=Ending.RUNNING).write(tmp_path)
    again = TakenUpShare(plan, share, tmp_path, TakingUp(1, 0, 0, sends=True))
    again.write_first_versions(EPOCH_NS)

    async def limit() -> int | None:
        clock = LoopClock(EPOCH_NS)
        endpoint = FakeEndpoint(clock)
        outside = Outside(endpoint, endpoint, endpoint, None)
        return again.runner(outside, clock, ["s3://bucket/in.json"], Control()).load.limits.requests

    assert anyio.run(limit) == 3
    again.close()


@pytest.mark.slow
def test_where_the_queue_is_gone_another_copy_may_have_sent_the_rest_and_nothing_more_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_keys(monkeypatch)
    hosted = story(load=[{"constant": {"rate": "10/s", "for": "2s"}}])

    async def taken_up_twice() -> None:
        async with region(hosted) as here:
            found, held = await here.leave(plan_of(hosted), tmp_path, 1.0)
            assert held is not None
            here.emulator.sqs.queues.clear()
            n_sent = here.emulator.truth.frame().height
            with pytest.raises(TargetError, match="may have been sent"):
                await here.take_up(plan_of(hosted), tmp_path, found, held)
            assert here.emulator.truth.frame().height == n_sent > 5

    anyio.run(taken_up_twice, backend_options={"loop_factory": WarpLoop})


@pytest.mark.slow
def test_a_resume_that_sends_looks_up_what_the_killed_run_left_and_not_what_it_sent_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One instance is too slow for this load, so the backlog grows until the last send."""
    any_keys(monkeypatch)
    slow = {"instances": {"min": 1, "max": 1}, "service": "2s", "faults": {"notices_lost": 0.4}}
    hosted = story(emulated=slow, load=[{"constant": {"rate": "2/s", "for": "60s"}}], drain="10m")
    asked: list[str | None] = []
    look_up = S3Outputs.look_up

    async def counted(self: S3Outputs, output: str | None, failure: str | None) -> OutputFound | None:
        asked.append(output)
        return await look_up(self, output, failure)

    async def killed_and_continued() -> pl.DataFrame:
        async with region(hosted) as here:
            found, held = await here.leave(plan_of(hosted), tmp_path, 20.0)
            monkeypatch.setattr(S3Outputs, "look_up", counted)
            return await here.take_up(plan_of(hosted), tmp_path, found, held)

    rows = anyio.run(killed_and_continued, backend_options={"loop_factory": WarpLoop})
    assert rows["outcome"].value_counts().rows() == [("completed", 120)]
    told = rows.filter(end_from="notice", resume=1)["output_location"].to_list()
    assert len(told) > 20
    assert not set(told) & set(asked)
    assert set(rows.filter(end_from="output")["output_location"]) <= set(asked)


@pytest.mark.slow
def test_what_is_sent_after_a_run_was_closed_gets_a_queue_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_keys(monkeypatch)
    hosted = story(load=[{"constant": {"rate": "10/s", "for": "2s"}}])

    async def closed_and_continued() -> None:
        async with region(hosted) as here:
            found, _ = await here.leave(plan_of(hosted), tmp_path, 1.0)
            here.emulator.sqs.queues.clear()
            requests = await here.take_up(plan_of(hosted), tmp_path, found, None)
            assert requests.filter(pl.col("resume") == 1)["end_from"].unique().to_list() == ["notice"]
            assert not here.emulator.sqs.queues

    anyio.run(closed_and_continued, backend_options={"loop_factory": WarpLoop})


@pytest.mark.slow
def test_of_two_copies_of_a_folder_one_alone_is_continued_and_it_can_be_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    any_keys(monkeypatch)
    path = killed(tmp_path, target={"endpoint": "smbench-emulated"})
    shutil.copytree(path, tmp_path / "copy")

    async def continued() -> None:
        async with region(story()) as here:
            async with AwsClients(AwsSettings(endpoint_url=here.emulator.url, services=("s3",))) as clients:
                await clients.s3.create_bucket(Bucket="bucket")
            folders = [RunFolder.reopen(one) for one in (path, tmp_path / "copy")]
            target = target_of(folders[0].plan(), here.access)
            await resume._claimed(folders[0], target)
            with pytest.raises(TargetError, match=str(path)):
                await resume._claimed(folders[1], target)
            await resume._claimed(RunFolder.reopen(path), target)
            assert len(read_manifest(path).claims) == 2

    anyio.run(continued, backend_options={"loop_factory": WarpLoop})


def test_a_resume_that_sends_counts_for_sent_what_another_may_send_until_it_sees_the_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = killed(tmp_path, target={"endpoint": "mine"})
    monkeypatch.setattr(resume, "wall_ns", lambda: EPOCH_NS + 3_600_000_000_000)
    monkeypatch.setattr(resume, "machine_started_utc_ns", lambda: None)
    folder = RunFolder.reopen(path)
    until_s = [resume._how(folder, folder.plan(), sends=sends).alive_until_ns / 1e9 for sends in (False, True)]
    assert until_s[0] == 3_600
    assert until_s[1] > 3_600 + SEEN_S


@pytest.mark.slow
@pytest.mark.parametrize("step_s", [0, 3600])
def test_only_a_machine_that_was_started_again_since_the_kill_says_that_nothing_was_sent_after_its_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step_s: int
) -> None:
    """A wall clock that is set forward moves the instant at which the machine seems to have been started."""
    path = killed(tmp_path, target={"endpoint": "mine"})
    shutil.copytree(path, tmp_path / "copy")
    started_ns = EPOCH_NS + (60 + step_s) * 10**9
    monkeypatch.setattr(resume, "wall_ns", lambda: started_ns + 3_600 * 10**9)
    monkeypatch.setattr(resume, "machine_started_utc_ns", lambda: started_ns)

    def until_s(folder: RunFolder) -> float:
        return resume._how(folder, folder.plan(), sends=False).alive_until_ns / 1e9

    assert until_s(RunFolder.reopen(path)) == 60 + step_s + 3_600, "it was not started since"
    monkeypatch.setattr(marks, "_BOOT", b"another")
    assert until_s(RunFolder.reopen(path)) == 60 + step_s
    assert until_s(RunFolder.reopen(tmp_path / "copy")) == 60 + step_s + 3_600, "a copy may be another machine's"


def test_a_folder_that_vanishes_while_its_run_is_taken_up_is_no_traceback_and_what_could_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = killed(tmp_path, target={"endpoint": "mine"})

    def session(*_given: object) -> SessionEnd:
        shutil.rmtree(path)
        return SessionEnd(is_begun=True)

    monkeypatch.setattr(resume, "_session", session)
    monkeypatch.setattr(resume, "_how", lambda *_given, **_more: None)
    done = resume.resume_run(path, AwsAccess("eu-west-1"), NoView, Interrupts(), base_dir=None, sends=False)
    assert done is not None
    assert any(str(path) in problem.message for problem in done.problems)
    assert any(str(path) in note for note in done.end.notes)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), pl.exceptions.ComputeError("cut short")])
def test_rows_that_cannot_be_read_are_said_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    path = killed(tmp_path)
    manifest = (path / "manifest.json").read_bytes()

    def unreadable(*_given: object, **_more: object) -> None:
        raise error

    monkeypatch.setattr(pl.LazyFrame, "collect", unreadable)
    with pytest.raises(ResultsError, match=r"cannot read .*(Input/output error|cut short)"):
        smbench.resume(path, progress="none")
    assert (path / "manifest.json").read_bytes() == manifest
