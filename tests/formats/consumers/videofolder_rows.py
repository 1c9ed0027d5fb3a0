"""datasets' own VideoFolder: which parts it sees, which columns, which files."""

import json
import sys
from pathlib import Path

from datasets import Video, load_dataset

found = {}
for part, loaded in load_dataset("videofolder", data_dir=sys.argv[1], cache_dir=sys.argv[2]).items():
    assert isinstance(loaded.features["video"], Video), loaded.features
    rows = loaded.cast_column("video", Video(decode=False))
    found[part] = list(rows)
    for row in found[part]:
        file = Path(row["video"]["path"])
        row["video"] = {"name": file.name, "bytes": file.stat().st_size}
print(json.dumps(found))
