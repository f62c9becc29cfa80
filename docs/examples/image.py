# %% [markdown]
# # Images: a real-time endpoint that takes base64 in a JSON document
#
# Each cell runs in a notebook or as a script: `python image.py`. Nothing leaves this machine.

# %%
import struct
import zlib
from pathlib import Path

import smbench

# %% [markdown]
# ## Payloads
#
# Two small PNG files stand for your photos. `encode: image` sends each as `{"image": "<base64>"}`; without it the file
# itself is sent. A tar.gz of samples is read as `archive:`.


# %%
def png(grey: int, side: int = 32) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = (b"\x00" + bytes([grey]) * side) * side
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


for name, grey in (("dark", 30), ("bright", 220)):
    Path(f"{name}.png").write_bytes(png(grey))

# %% [markdown]
# ## The question
#
# Callers of a real-time endpoint wait. With one instance of two slots and 400 ms an image, what do four users meet,
# each sending its next image when the last has come back?

# %%
scenario = {
    "name": "images",
    "target": {
        "kind": "realtime",
        "emulated": {"instances": {"min": 1, "max": 1, "concurrency": 2}, "service": "400ms", "time": "warp"},
    },
    "payloads": {"files": ["*.png"], "encode": "image"},
    "load": [{"closed": {"outstanding": 4, "requests": 40}}],
    "thresholds": ["max < 1s"],
}
result = smbench.run(scenario, progress="none")
result

# %% [markdown]
# Four users on two slots: each image waits for one before it, so it takes twice its service time, and the endpoint
# completes five a second whatever the number of users.

# %%
p50 = result.summary.sojourn.p50
print(p50.text())
assert abs(p50.value - 0.8) < 0.05
assert result.summary.counts.completed == 40
