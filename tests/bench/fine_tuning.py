"""Samples a second and memory, ours against the usual script: pytest -m bench -s tests/bench/fine_tuning.py

The usual script is what recipes publish: for every sample of every epoch decode the frames (PyAV, uniform), run the
processor, the vision tower and the language model over the whole sequence with labels, logits for all of it; peft,
AdamW, the same adapter, the same clips and frames. Ours is `training.train` as the window starts it. Both run in a
process of their own, on the processor, with one thread; memory is the process's peak.

The model is InternVL's architecture at a small width with its real 448 px, patches of 14 and 256 tokens a frame, and a
vocabulary of 32,768 entries (a fifth of the real one). Its weights are random. What the numbers say about a large
model: the share of tower and decoding in a step shrinks as the language model grows; that of the logits does not.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.clips import make_clip
from tests.unit.training.sets import LIGHT, config, export, item, told, truth, verdicts
from vvlm_desktop.backends.train_config import save_config

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

CLIPS, FRAMES, EPOCHS = 6, 8, 3
VOCABULARY = 32_768
RANK, ALPHA, RATE = 8, 16, 1e-3


def build_model(folder):
    """A model whose tower and sequence have real proportions."""
    import transformers

    from tests import tiny_models

    transformers.utils.logging.disable_progress_bar()  # it starts a thread that outlives the test
    tiny = tiny_models.tiny_model("internvl", vocabulary=VOCABULARY)
    processor = transformers.AutoProcessor.from_pretrained(tiny)
    settings = transformers.AutoConfig.from_pretrained(tiny)
    settings.vision_config.update({"patch_size": [14, 14], "hidden_size": 96, "num_hidden_layers": 4})
    settings.vision_config.update({"intermediate_size": 192})
    settings.text_config.update({"hidden_size": 256, "intermediate_size": 512})
    settings.text_config.update({"head_dim": 64})
    settings.image_seq_length = processor.image_seq_length = 256
    model = transformers.InternVLForConditionalGeneration(settings)
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def plain_script(model_dir, train_set, checkpointing):
    """The usual script; prints seconds of each epoch and the peak of memory."""
    import av
    import torch

    from vvlm_desktop.backends.local.torchvision_compat import ensure_torchvision

    ensure_torchvision()
    import transformers
    from peft import LoraConfig, get_peft_model

    torch.set_num_threads(1)
    processor = transformers.AutoProcessor.from_pretrained(model_dir)
    model = transformers.AutoModelForImageTextToText.from_pretrained(model_dir, dtype=torch.float32)
    targets = r".*language_model\..*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
    model = get_peft_model(model, LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=targets, task_type="CAUSAL_LM"))
    if checkpointing:
        model.base_model.model.activation_checkpointing_enable({"use_reentrant": False})
    model.train()
    optimiser = torch.optim.AdamW([each for each in model.parameters() if each.requires_grad], lr=RATE)
    prompt = json.loads((Path(train_set) / "manifest.json").read_text(encoding="utf-8"))["prompt"]
    records = [json.loads(line) for line in (Path(train_set) / "corrections.jsonl").read_text("utf-8").splitlines()]
    conversation = [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": prompt}]}]
    question = processor.apply_chat_template(conversation, add_generation_prompt=True, tokenize=False)
    seconds, decoded_s = [], 0.0
    for _ in range(EPOCHS):
        began_s = time.monotonic()
        for record in records:
            decoding_s = time.monotonic()
            with av.open(str(Path(train_set) / record["file"])) as container:
                count = container.streams.video[0].frames
                wanted = {int((k + 0.5) * count / FRAMES) for k in range(FRAMES)}
                decoded = enumerate(container.decode(video=0))
                frames = np.stack([frame.to_ndarray(format="rgb24") for i, frame in decoded if i in wanted])
            decoded_s += time.monotonic() - decoding_s
            answer = json.dumps(record["supervised"], separators=(",", ":")) + processor.tokenizer.eos_token
            batch = processor(text=[question + answer], videos=[frames], do_sample_frames=False, return_tensors="pt")
            tokens = len(processor.tokenizer(answer)["input_ids"])
            labels = batch["input_ids"].clone()
            labels[:, :-tokens] = -100
            model(**batch, labels=labels).loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        seconds.append(time.monotonic() - began_s)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write("RESULT " + json.dumps({"seconds": seconds, "decoded_s": decoded_s, "peak_bytes": peak}) + "\n")


def our_script(config_file):
    """Our trainer; prints the peak of memory."""
    import torch

    from training.train import train
    from vvlm_desktop.backends.train_config import load_config

    torch.set_num_threads(1)
    train(load_config(Path(config_file)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write("RESULT " + json.dumps({"peak_bytes": peak}) + "\n")


def in_a_process(call):
    code = f"from tests.bench.fine_tuning import *; {call}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=1500)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.rpartition("RESULT ")[2])


@pytest.fixture(scope="module")
def bench_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    items = []
    for number in range(CLIPS):
        path = make_clip(
            folder / f"{number}.mp4",
            frames=300,
            fps=30,
            size=(1280, 720),
            numbers=range(number * 300, number * 300 + 300),
            options={"preset": "ultrafast", "g": "30"},
        )
        made = item(path, verdicts(truth(bright=bool(number % 2))), split="train", number=number)
        items.append(made)
    assert made.schema is LIGHT
    return export(folder / "set", items)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_samples_a_second_and_memory(bench_set, tmp_path, checkpointing):
    model = build_model(tmp_path / "model")
    run = tmp_path / "run"
    given = {"model_dir": str(model), "frames": FRAMES, "batch": 1, "rank": RANK, "alpha": ALPHA}
    given |= {"learning_rate": RATE, "steps": CLIPS * EPOCHS, "checkpointing": checkpointing}
    save_config(config(bench_set, run, **given), run / "run.toml")
    ours = in_a_process(f"our_script({str(run / 'run.toml')!r})")
    plain = in_a_process(f"plain_script({str(model)!r}, {str(bench_set)!r}, {checkpointing})")
    (preflight,) = told(run, "preflight")
    # A step's time is an average over the last twenty; all of them are after the features were made.
    ours_rate = 1 / told(run, "step")[-1]["step_s"]
    plain_rate = CLIPS / (sum(plain["seconds"][1:]) / (EPOCHS - 1))
    gib = 1024**3
    print(f"\n{CLIPS} clips of 720p, 10 s; {FRAMES} frames, {preflight['longest']['tokens']} tokens; {checkpointing=}")
    print(f"  usual script   {plain_rate:6.3f} samples/s   peak {plain['peak_bytes'] / gib:.2f} GiB")
    print(f"    of a sample's {1 / plain_rate:.2f} s, decoding takes {plain['decoded_s'] / EPOCHS / CLIPS:.2f} s")
    print(f"  ours           {ours_rate:6.3f} samples/s   peak {ours['peak_bytes'] / gib:.2f} GiB")
    print(f"  ratio from the second epoch on: {ours_rate / plain_rate:.2f}")
    print(f"  features made in {preflight['features']['seconds']:.1f} s, once")
    assert ours_rate >= 1.5 * plain_rate
    assert ours["peak_bytes"] < plain["peak_bytes"]
