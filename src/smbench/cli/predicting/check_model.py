"""The command `check-model`: how well a model predicts a run, and its grade."""

from pathlib import Path

from smbench.api.predicting.check_model import check_model
from smbench.cli.given_out import on_stdout, print_json


def check_model_command(model: Path, run: Path, replications: int, output: str) -> None:
    """The table, or JSON, to stdout; the grade is kept beside the model. Raises: as `api.check_model.check_model`."""
    found = check_model(model, run, replications=replications)
    if output == "json":
        print_json(found.to_json())
    else:
        on_stdout().print(found.to_text())
