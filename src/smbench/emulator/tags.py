"""Tags of AWS: as lists of pairs in its calls, and as they are kept."""

from collections.abc import Iterable, Mapping


def tags_of(pairs: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Values by key; of a key that comes twice the last counts."""
    return {pair["Key"]: pair["Value"] for pair in pairs}


def pairs_of(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """`Key` and `Value` of each, in the order in which they are kept."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
