# %% [markdown]
# # Text: an asynchronous endpoint, and calls that another tool recorded
#
# Each cell runs in a notebook or as a script: `python text.py`. Nothing leaves this machine: the endpoint is emulated,
# and its time jumps. For your own endpoint put `endpoint="NAME"` into `smbench.run`; that uses AWS and costs money.

# %%
import json
from pathlib import Path

import smbench

# %% [markdown]
# ## Payloads
#
# JSON lines, each the arguments of one invocation, as benchmarking tools write them. A pickled list of the same
# dictionaries is read as `pickled:`.

# %%
texts = ["Ada Lovelace was born in London.", "The Danube flows through ten countries.", "Kyoto was Japan's capital."]
lines = [{"Body": json.dumps({"inputs": text}), "ContentType": "application/json"} for text in texts]
Path("texts.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

# %% [markdown]
# ## The question
#
# Two instances that recognise names in 300 ms: what do 120 requests in half a minute wait for?

# %%
scenario = {
    "name": "names-in-text",
    "target": {
        "kind": "async",
        "instance_hour": 0.23,
        "emulated": {
            "instances": {"min": 2, "max": 2},
            "service": {"lognormal": {"median": "300ms", "sigma": 0.3}},
            "time": "warp",
        },
    },
    "payloads": {"lines": "texts.jsonl"},
    "load": [{"constant": {"rate": "4/s", "for": "30s"}}],
    "drain": "1m",
    "thresholds": ["p90 < 2s", "failed == 0"],
}
print(smbench.validate(scenario).description)

# %%
result = smbench.run(scenario, progress="none")
result

# %% [markdown]
# ## Figures as numbers
#
# Tables are polars frames; a figure that cannot be known says why.

# %%
by_payload = result.requests.group_by("payload").len().sort("payload").collect()
by_payload

# %%
assert all(one.passed for one in result.thresholds)
assert by_payload["len"].sum() == 120
each = result.summary.price.usd_per_inference
print(f"{each:.2g} USD an inference at this load")
