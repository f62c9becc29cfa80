"""Mains of children that tests start: each does one thing for a while."""

import os

from smbench.clock import real_ns
from smbench.processes.channel import Channel
from smbench.processes.messages import Acknowledged, Preparing

_LONG_NS = 1_000_000_000


def with_tables(channel: Channel) -> None:
    """Say that it begins, be inside polars for a second, say that it is done."""
    import polars as pl  # as late as in a worker: with this module it would be there before the child is prepared

    channel.send(Acknowledged())
    table = pl.LazyFrame({"a": range(500_000)})
    until_ns = real_ns() + _LONG_NS
    while real_ns() < until_ns:
        table.filter(pl.col("a") % 7 == 3).select(pl.col("a").sort().sum()).collect()
    channel.send(Acknowledged())


def says_region(channel: Channel) -> None:
    """Say the region that the environment has."""
    channel.send(Preparing(os.environ.get("AWS_DEFAULT_REGION", "none")))
