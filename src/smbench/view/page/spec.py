"""A picture in Vega-Lite's words, from the charts that Altair makes.

Altair's own layers and columns copy every chart that is put into them, several times: a third of what the page of a
run took. Put together as dicts they say the same.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

Spec = dict[str, Any]
"""A whole picture: a Vega-Lite specification without a `config`, its data under `datasets`, each once."""

Size = int | dict[str, int]
"""CSS pixels, or `{"step": pixels}` for each of an axis's categories."""

_OF_THE_WHOLE = ("$schema", "config", "datasets")


def layered(*charts: alt.Chart, width: Size, height: Size) -> Spec:
    """One over the other, the last on top, in a plotting area of this size."""
    layers, datasets = _parts([_plain(chart) for chart in charts])
    return {"$schema": alt.SCHEMA_URL, "width": width, "height": height, "layer": layers, "datasets": datasets}


def stacked(*panels: Spec) -> Spec:
    """One below the other; each with its own colours and dashes."""
    below, datasets = _parts(panels)
    own = {"color": "independent", "strokeDash": "independent"}
    return {
        "$schema": alt.SCHEMA_URL,
        "vconcat": below,
        "spacing": 14,
        "resolve": {"scale": own},
        "datasets": datasets,
    }


def _plain(chart: alt.Chart) -> Spec:
    spec: Spec = chart.to_dict(validate=False)  # the tests validate; it takes a tenth of a page
    return spec


def _parts(specs: Sequence[Spec]) -> tuple[list[Spec], Spec]:
    """Each without what belongs to the whole; and the data of all, named by content, so that equal data are one."""
    datasets = {name: rows for spec in specs for name, rows in spec.get("datasets", {}).items()}
    return [{name: of for name, of in spec.items() if name not in _OF_THE_WHOLE} for spec in specs], datasets
