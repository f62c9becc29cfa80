"""The emulated AWS services on loopback: for a block of Python, or until a person ends the command."""

import os
import threading
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.lowlevel

from smbench.api.scenarios import Folders, ScenarioLike, given_scenario
from smbench.clock import MonotonicClock, real_ns, wall_ns
from smbench.emulator.process import run_alone
from smbench.emulator.server import Emulator
from smbench.errors import UsageError
from smbench.held_folder import HeldFolder
from smbench.lifecycle.processing.rehearsal import rehearsed_images
from smbench.scenario.emulated import Emulated
from smbench.scenario.values.distributions import Distribution


@contextmanager
def emulate(
    scenario: ScenarioLike | None = None,
    *,
    port: int = 0,
    truth: str | os.PathLike[str] | None = None,
    verify_signatures: bool = False,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    provision_s: float | None = None,
) -> Iterator[str]:
    """Serve the emulated AWS services while the block lasts, in a thread of this process.

    Args:
        scenario: Whose emulated endpoint is served; None is an empty account.
        port: On 127.0.0.1; 0 takes a free one.
        truth: File for what the endpoint did, written at the end; None: nowhere.
        verify_signatures: Refuse calls that the emulator's own key pair did not sign.
        base_dir: As `run` takes it.
        allow_files: As `run` takes it.
        provision_s: Seconds until an instance serves; None: as the scenario says, or some three minutes as on AWS.

    Returns:
        The endpoint URL, for any AWS client.

    Raises:
        ScenarioError: with every problem found.
        UsageError: the port is taken, or the folder of `truth` does not exist.
    """
    emulation = Emulation(
        scenario,
        truth=truth,
        verify_signatures=verify_signatures,
        base_dir=base_dir,
        allow_files=allow_files,
        provision_s=provision_s,
    )
    thread = _Serving(emulation, port)
    try:
        yield thread.wait_for_url()
    finally:
        thread.end()


class Emulation:
    """One emulator and where its truth goes; arguments and errors as `emulate` has them."""

    def __init__(
        self,
        scenario: ScenarioLike | None,
        *,
        truth: str | os.PathLike[str] | None,
        verify_signatures: bool,
        base_dir: str | os.PathLike[str] | None = None,
        allow_files: Folders = (),
        provision_s: float | None = None,
    ) -> None:
        self.truth = None if truth is None else Path(truth)
        if self.truth is not None and not self.truth.parent.is_dir():
            raise UsageError(f"the folder of {self.truth} does not exist")
        given = None if scenario is None else given_scenario(scenario, base_dir, allow_files)
        chosen = None if given is None else given.scenario
        laws = Emulated() if chosen is None else chosen.target.emulated
        if provision_s is not None:
            at_once = {"provision": Distribution(constant=provision_s), "provision_common": Distribution(constant=0.0)}
            laws = laws.model_copy(update=at_once)
        if chosen is not None:
            target = chosen.target.model_copy(update={"emulated": laws})
            chosen = chosen.model_copy(update={"target": target})
        self.clock = MonotonicClock(real_ns(), wall_ns(), 1.0 if chosen is None else laws.time_scale)
        folder = Path.cwd() if given is None else given.origin.base_dir
        image = self._image = HeldFolder.make("image")
        self._remove_image = weakref.finalize(self, image.remove)
        self.emulator = Emulator(
            chosen,
            folder,
            self.clock.epoch_ns,
            verify_signatures=verify_signatures,
            keeps_truth=self.truth is not None,
            defaults=laws,
            images=rehearsed_images(image.path),
        )

    def serve(self, port: int, until: Callable[[str], Awaitable[None]]) -> None:
        """Serve until a coroutine that is given the URL has ended, then write the truth.

        Raises:
            UsageError: the port is taken.
        """
        run_alone(self._serve, port, until)

    async def _serve(self, port: int, until: Callable[[str], Awaitable[None]]) -> None:
        try:
            url = await self.emulator.start(port)
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be used: {error.strerror}", "leave out --port to take a free one"
            ) from error
        self.emulator.go(self.clock)
        try:
            await until(url)
        finally:
            if self.truth is not None:
                self.emulator.write_truth(self.truth)
            await self.emulator.stop()
            self._remove_image()


class _Serving:
    """The thread in which an emulator serves a block of Python."""

    def __init__(self, emulation: Emulation, port: int) -> None:
        self._emulation, self._port = emulation, port
        self._url = ""
        self._failure: BaseException | None = None
        self._is_up = threading.Event()
        self._end: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="smbench-emulate", daemon=True)
        self._thread.start()

    def wait_for_url(self) -> str:
        self._is_up.wait()
        if self._failure is not None:
            raise self._failure
        return self._url

    def end(self) -> None:
        """Stop serving; raises what went wrong meanwhile."""
        self._end()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._emulation.serve(self._port, self._until_ended)
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that asked
            self._failure = error
        finally:
            self._is_up.set()

    async def _until_ended(self, url: str) -> None:
        ended, token = anyio.Event(), anyio.lowlevel.current_token()
        self._url, self._end = url, lambda: anyio.from_thread.run_sync(ended.set, token=token)
        self._is_up.set()
        await ended.wait()
