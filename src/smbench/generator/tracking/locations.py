"""Where results are: of a million locations only what is their own is kept, the sixteen bytes of a UUID.

SageMaker writes a result to `<output path>/<uuid>.out` and an error to `<failure path>/<the same uuid>-error.out`. What
is before and after the UUID is the same for all of a run, so it is kept once, as a frame, and a row has its number.
A location of another form is kept as it is.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

UNKNOWN, AS_IT_IS = 0, 255  # what is between is the number of a frame
UUID_BYTES, UUID_CHARACTERS = 16, 36

Frame = tuple[str, str]  # before the UUID, after it


@dataclass(frozen=True, slots=True)
class _Pair:
    """The frames of an output and of its failure, and their numbers."""

    output: Frame
    failure: Frame
    output_number: int
    failure_number: int

    def uuid(self, output: str, failure: str) -> str:
        """What both have where a UUID belongs; empty where they are in other frames."""
        before, after = self.output
        start = len(before)
        text = output[start : start + UUID_CHARACTERS]
        of_failure_before, of_failure_after = self.failure
        is_same = output == f"{before}{text}{after}" and failure == f"{of_failure_before}{text}{of_failure_after}"
        return text if is_same else ""


class Locations:
    """Two locations a row, of its output and of its failure; what went in comes out, to the letter."""

    def __init__(self, n: int) -> None:
        self._uuids = bytearray(UUID_BYTES * n)
        self._outputs, self._failures = bytearray(n), bytearray(n)
        self._frames: list[Frame | None] = [None]
        self._number_of: dict[Frame, int] = {}
        self._odd_outputs: dict[int, str] = {}
        self._odd_failures: dict[int, str] = {}
        self._pair: _Pair | None = None  # of the row before

    def learn(self, index: int, output: str | None, failure: str | None) -> None:
        """Both, as one answer names them; nearly always in the frames of the row before, which costs half."""
        pair = self._pair
        if pair is not None and output is not None and failure is not None and not self._outputs[index]:
            uuid = _packed(pair.uuid(output, failure))
            if uuid is not None:
                self._uuids[UUID_BYTES * index : UUID_BYTES * (index + 1)] = uuid
                self._outputs[index], self._failures[index] = pair.output_number, pair.failure_number
                return
        self.learn_output(index, output)
        if failure is not None:
            self.learn_failure(index, failure)
            self._remember(self._outputs[index], self._failures[index])

    def _remember(self, output_number: int, failure_number: int) -> None:
        if AS_IT_IS not in (output_number, failure_number):
            output, failure = self._frames[output_number], self._frames[failure_number]
            if output is not None and failure is not None:
                self._pair = _Pair(output, failure, output_number, failure_number)

    def learn_output(self, index: int, location: str | None) -> None:
        """The first location that is given for a row stays."""
        if location is None or self._outputs[index]:
            return
        start = location.rfind("/") + 1
        end = start + UUID_CHARACTERS
        uuid = _packed(location[start:end])
        number = AS_IT_IS if uuid is None else self._number(location[:start], location[end:])
        if uuid is None or number == AS_IT_IS:
            self._odd_outputs[index] = location
        else:
            self._uuids[UUID_BYTES * index : UUID_BYTES * (index + 1)] = uuid
        self._outputs[index] = number

    def learn_failure(self, index: int, location: str) -> None:
        """Kept small where it has the UUID of the row's output, which must be known by then."""
        number = AS_IT_IS
        if self._outputs[index] not in (UNKNOWN, AS_IT_IS):
            before, uuid, after = location.partition(self._uuid(index))
            number = self._number(before, after) if uuid else AS_IT_IS
        if number == AS_IT_IS:
            self._odd_failures[index] = location
        self._failures[index] = number

    def forget_failure(self, index: int) -> None:
        """The row has ended: its error will not be looked for. So what is kept as it is never exceeds the backlog."""
        if self._failures[index] == AS_IT_IS:
            del self._odd_failures[index]
        self._failures[index] = UNKNOWN

    def output(self, index: int) -> str | None:
        """Where the row's result is, as AWS named it; None where it never did."""
        return self._location(index, self._outputs[index], self._odd_outputs)

    def failure(self, index: int) -> str | None:
        """Where the row's error would be, as AWS named it; None where it never did."""
        return self._location(index, self._failures[index], self._odd_failures)

    def take(self, rows: npt.NDArray[np.int64]) -> "tuple[TakenLocations, TakenLocations]":
        """Copies of these rows' output locations and failure locations."""
        uuids = np.asarray(self._uuids).reshape(-1, UUID_BYTES).take(rows, axis=0)
        frames = self._frames.copy()
        outputs = _taken(rows, self._outputs, self._odd_outputs, uuids, frames)
        return outputs, _taken(rows, self._failures, self._odd_failures, uuids, frames)

    def _number(self, before: str, after: str) -> int:
        """Of this frame; paths that differ from row to row soon get none, for they are no frames."""
        frame = (before, after)
        if (number := self._number_of.get(frame)) is None:
            number = len(self._frames)
            if number == AS_IT_IS:
                return AS_IT_IS
            self._number_of[frame] = number
            self._frames.append(frame)
        return number

    def _location(self, index: int, number: int, odd: dict[int, str]) -> str | None:
        if number == AS_IT_IS:
            return odd[index]
        frame = self._frames[number]
        return None if frame is None else f"{frame[0]}{self._uuid(index)}{frame[1]}"

    def _uuid(self, index: int) -> str:
        return _unpacked(self._uuids[UUID_BYTES * index : UUID_BYTES * (index + 1)])


@dataclass(frozen=True, slots=True)
class TakenLocations:
    """Locations of some rows as they are kept; nothing changes here while they are turned into text."""

    numbers: npt.NDArray[np.uint8]
    uuids: npt.NDArray[np.uint8]  # (rows, 16)
    frames: list[Frame | None]
    odd_places: npt.NDArray[np.int64]
    odd: list[str]


def _taken(
    rows: npt.NDArray[np.int64],
    numbers: bytearray,
    odd: dict[int, str],
    uuids: npt.NDArray[np.uint8],
    frames: list[Frame | None],
) -> TakenLocations:
    of_rows = np.asarray(numbers).take(rows)
    places = np.flatnonzero(of_rows == AS_IT_IS)
    return TakenLocations(of_rows, uuids, frames, places, [odd[index] for index in rows[places].tolist()])


def _packed(text: str) -> bytes | None:
    """The bytes of a UUID in the one spelling that `_unpacked` gives back; None for anything else."""
    digits = text.replace("-", "")
    try:
        uuid = bytes.fromhex(digits)
    except ValueError:
        return None
    # Back to digits, for capitals and spaces are let in by `fromhex`; and every fifth from the eighth is a dash.
    is_exact = len(digits) == 2 * UUID_BYTES and text[8:24:5] == "----" and uuid.hex() == digits
    return uuid if is_exact else None


def _unpacked(uuid: bytes | bytearray) -> str:
    digits = uuid.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
