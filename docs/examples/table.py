# %% [markdown]
# # Tables: a serverless endpoint, and which memory size to take
#
# Each cell runs in a notebook or as a script: `python table.py`. Nothing leaves this machine.

# %%
from pathlib import Path

import smbench

# %% [markdown]
# ## Payloads
#
# Rows of a table, each line of the file one body.

# %%
rows = ["5.1,3.5,1.4,0.2", "6.7,3.0,5.2,2.3", "5.9,3.0,4.2,1.5"]
Path("rows.csv").write_text("\n".join(rows) + "\n")

# %% [markdown]
# ## The question
#
# Two memory sizes; you measured that the model takes 260 ms with the smaller and 200 ms with the larger. Which one
# keeps a second, cold start included, and what does it cost?

# %%
small = {"target.emulated.serverless.memory": 1024, "target.emulated.service": "260ms"}
large = {"target.emulated.serverless.memory": 2048, "target.emulated.service": "200ms"}
found = smbench.sweep(
    {
        "name": "rows",
        "target": {
            "kind": "serverless",
            "emulated": {"serverless": {"max_concurrency": 2, "cold_start": "600ms"}, "time": "warp"},
        },
        "payloads": {"mix": [{"bodies": "rows.csv", "content_type": "text/csv"}]},
        "load": [{"constant": {"rate": "1/s", "for": "10s"}}],
    },
    matrix={"size": {"small": small, "large": large}},
    benchmarks={"stability": {"requests": 30}},
    thresholds=["max < 1s"],
    progress="none",
)
found

# %% [markdown]
# The cheapest that keeps the thresholds is taken. `found.path` has a page with the savings against instances.

# %%
assert found.recommendation.best.configuration == "size=small"
print(f"a million inferences: {1000 * found.recommendation.best.usd_per_1000:.2f} USD")

# %%
price = found.run(1).summary.price
instance = price.compared_with
for row in price.savings[:3]:
    print(f"{row.n_month:>12,} a month: {row.serverless_usd:8.2f} USD, one {instance} {row.instance_usd:.2f} USD")
assert price.savings[-1].saving < 0
