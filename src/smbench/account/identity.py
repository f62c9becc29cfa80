"""Who we are to AWS: credentials that last as long as the run, the identity, and this machine's clock."""

from datetime import timedelta

from smbench.account.questions import Question, Seen
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.instants import datetime_utc_ns, utc_datetime
from smbench.clock import wall_ns
from smbench.findings import Verdict
from smbench.wire.dates import http_date

_CLOCK_OFF_S = 60.0  # AWS refuses signatures at 300 s; a clock so far off drifts, and its stamps are of no use
_READ_ONCE = "env"  # botocore's name of credentials that come from variables, which are not renewed


def identity_questions(clients: AwsClients, length_s: float) -> list[Question]:
    """What is asked of the credentials.

    Args:
        length_s: How long the run may last.
    """

    async def credentials() -> Seen:
        facts = clients.credentials.facts()
        if facts.ends_utc_ns is not None:
            ends = utc_datetime(facts.ends_utc_ns).replace(microsecond=0)
            if facts.method != _READ_ONCE:
                return Seen(f"from {facts.method}, until {ends:%Y-%m-%d %H:%M:%S} UTC; they are renewed in mid-run")
            if facts.ends_utc_ns < wall_ns() + round(length_s * 1e9):
                return Seen(
                    f"they end at {ends:%H:%M:%S} UTC, and the run may last {timedelta(seconds=round(length_s))}",
                    Verdict.INVALID,
                    _RENEWED,
                )
            return Seen(f"until {ends:%Y-%m-%d %H:%M:%S} UTC, which is after the end of the run")
        if facts.is_temporary:
            return Seen("temporary keys; when they end is not known", Verdict.UNKNOWN, _RENEWED)
        return Seen(f"from {facts.method}, without an end")

    async def identity() -> Seen:
        who = await clients.identity()
        return Seen(f"{who['Arn']} in {clients.region}")

    async def clock() -> Seen:
        asked_ns = wall_ns()
        answer = await clients.identity()
        middle_ns = (asked_ns + wall_ns()) // 2
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            off_s = (datetime_utc_ns(http_date(date)) + 500_000_000 - middle_ns) / 1e9  # a date names a whole second
        except ValueError:
            return Seen("AWS's answer has no date", Verdict.UNKNOWN)
        if abs(off_s) > _CLOCK_OFF_S:
            ahead = "behind" if off_s > 0 else "ahead of"
            return Seen(
                f"this machine is {abs(off_s):,.0f} s {ahead} AWS",
                Verdict.INVALID,
                "set the clock (`timedatectl set-ntp true`): AWS refuses signatures that are five minutes off",
            )
        return Seen(f"within {max(1, round(abs(off_s)))} s of AWS's")

    return [
        Question("credentials", "they last as long as the run, or are renewed meanwhile", credentials),
        Question("identity", "AWS knows the credentials", identity),
        Question("clock", f"within {_CLOCK_OFF_S:.0f} s of AWS's", clock, is_optional=True),
    ]


_RENEWED = (
    "use a profile whose credentials are renewed by themselves: SSO, a role, or `credential_process = aws configure "
    "export-credentials --profile NAME --format process`"
)
