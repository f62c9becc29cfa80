"""How large bodies were, in each direction, and which answers were wrong."""

import polars as pl
from pydantic import BaseModel, ConfigDict

from smbench.analysis.numbers.ordered import of_rank
from smbench.records import WrongAnswer


class BodySizes(BaseModel):
    """Sizes of some bodies, in bytes; percentiles are of the bodies, not of the bytes."""

    model_config = ConfigDict(frozen=True)

    n: int
    total_bytes: int
    p50_bytes: int
    p95_bytes: int
    max_bytes: int


class Bodies(BaseModel):
    """Of a synchronous endpoint: what was sent, what came back, and how many answers were wrong, by their fault."""

    model_config = ConfigDict(frozen=True)

    sent: BodySizes
    answered: BodySizes
    wrong: dict[WrongAnswer, int]

    @property
    def n_wrong(self) -> int:
        """Answers that were not what `request.expect` says."""
        return sum(self.wrong.values())


def bodies(requests: pl.DataFrame) -> Bodies | None:
    """Of these requests; None where no synchronous answer came."""
    answers = requests["answer_size_in_bytes"].drop_nulls()
    if not len(answers):
        return None
    sent = requests.select(pl.col("size_in_bytes").filter(pl.col("send_ns").is_not_null()))["size_in_bytes"]
    found = dict(requests["wrong_answer"].drop_nulls().value_counts().iter_rows())
    return Bodies(
        sent=_sizes(sent),
        answered=_sizes(answers),
        wrong={one: found[one.value] for one in WrongAnswer if one.value in found},
    )


def _sizes(sizes: pl.Series) -> BodySizes:
    p50, p95, most = (of_rank(sizes, share) for share in (0.5, 0.95, 1.0))
    return BodySizes(n=len(sizes), total_bytes=int(sizes.sum()), p50_bytes=p50, p95_bytes=p95, max_bytes=most)
