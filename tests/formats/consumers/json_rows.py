"""datasets on a folder with a card, as the InternVL3 recipe loads it, or on one file of JSON lines."""

import json
import sys
from pathlib import Path

from datasets import load_dataset

place, cache = Path(sys.argv[1]), sys.argv[2]
if place.is_dir():
    loaded = load_dataset(f"{place}/", cache_dir=cache)
else:
    loaded = load_dataset("json", data_files=str(place), cache_dir=cache)
print(json.dumps({part: list(rows) for part, rows in loaded.items()}))
