"""Numbers on a screen that moves: steady in width and unit, where the report's (`units`) are exact."""

from smbench import units

_ABSENT = "-"


def seconds(value_s: float | None) -> str:
    """A duration; `-` when there is none."""
    return _ABSENT if value_s is None else units.duration(value_s)


def stopwatch(value_s: float) -> str:
    """Time since the run began as hh:mm:ss, the part of a second dropped."""
    minutes, rest_s = divmod(max(0, int(value_s)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest_s:02d}"


def hertz(value_hz: float | None) -> str:
    """Always per second, so that neighbours can be compared; three digits below a thousand."""
    if value_hz is None:
        return _ABSENT
    if value_hz == 0:
        return "0/s"
    if value_hz >= 99.95:
        return f"{value_hz:,.0f}/s"
    return f"{value_hz:.1f}/s" if value_hz >= 9.995 else f"{value_hz:.2f}/s"


def percent(share: float) -> str:
    """Whole; a share that is not nothing never reads as 0 %, nor one short of all as 100 %."""
    if 0 < share < 0.01:
        return "<1 %"
    return "99 %" if 0.99 < share < 1 else f"{share * 100:.0f} %"
