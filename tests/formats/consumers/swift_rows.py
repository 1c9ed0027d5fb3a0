"""ms-swift's own load_dataset, its preprocessor and its loading of a video by the path that it kept."""

import json
import sys
from pathlib import Path

from swift.dataset import load_dataset

file = sys.argv[1]
rows, _ = load_dataset([file], strict=True, load_from_cache_file=False)
found = []
for row in rows:
    video = row["videos"][0]
    size = Path(video if isinstance(video, str) else video["path"]).stat().st_size
    found.append(
        {
            "roles": [message["role"] for message in row["messages"]],
            "question": row["messages"][0]["content"],
            "answer": row["messages"][-1]["content"],
            "rejected": row.get("rejected_response") or row.get("rejected_messages"),
            "video_bytes": size,
        }
    )
print(json.dumps(found))
