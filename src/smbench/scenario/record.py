"""How every part of a scenario behaves: frozen, no unknown keys, written back under the names the file uses."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen piece of a scenario; two with equal settings are equal and hash alike."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)
