"""LLaMA-Factory's own get_dataset: rows are loaded, aligned, put into the template, tokenized, videos decoded."""

import json
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

# It imports this for sound, which no row here has; the registry's build of it does not fit the torch beside it.
sys.modules["torchaudio"] = ModuleType("torchaudio")
sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.hparams import DataArguments, ModelArguments  # noqa: E402
from transformers import AutoProcessor, AutoTokenizer, Seq2SeqTrainingArguments  # noqa: E402

folder, model, dataset, stage = sys.argv[1:5]
tokenizer = AutoTokenizer.from_pretrained(model)
processor = AutoProcessor.from_pretrained(model)
model_args = ModelArguments(model_name_or_path=model)
for name in (
    "image_max_pixels",
    "image_min_pixels",
    "video_max_pixels",
    "video_min_pixels",
    "video_fps",
    "video_maxlen",
):
    setattr(processor, name, getattr(model_args, name))
for name in ("image_do_pan_and_scan", "crop_to_patches", "use_audio_in_video", "video_sampling_strategy"):
    setattr(processor, name, getattr(model_args, name, False))
processor.audio_sampling_rate = getattr(model_args, "audio_sampling_rate", 16000)
data_args = DataArguments(dataset=dataset, dataset_dir=folder, media_dir=folder, template="qwen2_vl", cutoff_len=16384)
template = get_template_and_fix_tokenizer(tokenizer, data_args)
training_args = Seq2SeqTrainingArguments(output_dir=folder + "/unused", report_to=[])
rows = get_dataset(template, model_args, data_args, training_args, stage, tokenizer=tokenizer, processor=processor)[
    "train_dataset"
]
answers = []
for row in rows:
    for key in ("labels", "chosen_labels", "rejected_labels"):
        if key in row:
            answers.append(tokenizer.decode([t for t in row[key] if t != -100], skip_special_tokens=True).strip())
video = tokenizer.convert_tokens_to_ids("<|video_pad|>")
ids = [row["input_ids"] if "input_ids" in row else row["chosen_input_ids"] for row in rows]
print(json.dumps({"rows": len(rows), "answers": answers, "video_tokens": [each.count(video) for each in ids]}))
