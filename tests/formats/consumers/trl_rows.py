"""TRL's dataset functions on the rows of a VideoFolder: recognised as conversations, put into a chat template."""

import json
import sys

from datasets import Video, load_dataset
from transformers import AutoTokenizer
from trl.data_utils import apply_chat_template, is_conversational

folder, model, cache = sys.argv[1:4]
tokenizer = AutoTokenizer.from_pretrained(model)
rows = load_dataset("videofolder", data_dir=folder, cache_dir=cache)["train"].cast_column("video", Video(decode=False))
found = []
for row in rows:
    example = {key: value for key, value in row.items() if key != "video"}
    found.append({"conversational": is_conversational(example), **apply_chat_template(example, tokenizer)})
print(json.dumps(found))
