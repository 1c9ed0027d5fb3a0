"""qwen-vl-utils on the rows of Qwen-VL's fine-tuning format: messages as its scripts build them, videos decoded."""

import json
import re
import sys
from pathlib import Path

from qwen_vl_utils import process_vision_info

file = Path(sys.argv[1])
found = []
for line in file.read_text(encoding="utf-8").splitlines():
    row = json.loads(line)
    messages = []
    for turn in row["conversations"]:
        role = {"human": "user", "gpt": "assistant"}[turn["from"]]
        parts = [part for part in re.split("(<video>)", turn["value"]) if part] if role == "user" else [turn["value"]]
        content = [
            {
                "type": "video",
                "video": str(file.parent / row["video"]),
                "min_pixels": 28 * 28 * 4,
                "max_pixels": 28 * 28 * 16,
            }
            if part == "<video>"
            else {"type": "text", "text": part}
            for part in parts
        ]
        messages.append({"role": role, "content": content})
    _, videos = process_vision_info(messages)
    found.append(
        {
            "roles": [m["role"] for m in messages],
            "frames": [list(v.shape) for v in videos],
            "answer": messages[-1]["content"][0]["text"],
        }
    )
print(json.dumps(found))
