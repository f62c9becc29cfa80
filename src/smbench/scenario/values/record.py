"""The base class of every part of a scenario: frozen, no unknown keys, written back under the names the file uses."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen piece of a scenario; two with equal settings are equal.

    Keys that Python reserves have another name in code (`for` is `for_s`); dumps carry the file's names.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        defer_build=True,  # built with the part that contains it, or when first used: half of them never alone
    )


EXACTLY_ONE_KEY: dict[str, int] = {"minProperties": 1, "maxProperties": 1}  # for `json_schema_extra`
