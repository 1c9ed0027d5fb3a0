"""Against real servers on loopback, each in a throw-away environment of its own.

    python -m venv S && S/bin/pip install fastapi uvicorn openai         then VVLM_SERVE_PYTHON=S/bin/python
    python -m venv L && L/bin/pip install "llama-cpp-python[server]" gguf then VVLM_LLAMA_PYTHON=L/bin/python

`transformers serve` takes torch and transformers from the present environment. It ignores schemas: that proves the
transport, and the second question. llama.cpp enforces them: that proves that our schemas can be enforced.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.clips import clip
from tests.unit.backends.cloud.jobs import SCHEMA, Jobs, answer_of
from vvlm_desktop.backends.cloud_answers import read_answer
from vvlm_desktop.backends.cloud_options import ServerOptions
from vvlm_desktop.backends.server import connection
from vvlm_desktop.backends.server.abilities import Abilities
from vvlm_desktop.backends.server.asking import chat
from vvlm_desktop.backends.server.backend import ServerBackend
from vvlm_desktop.backends.server.client import make_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
_ROOT = Path(__file__).parents[4]

#: Beside a CPU build of torch, torchvision may come without its own JPEG decoder: Pillow decodes instead.
_SERVE = """
import io, sys
import numpy, PIL.Image, torch
from vvlm_desktop.backends.local.torchvision_compat import ensure_torchvision
ensure_torchvision()
import torchvision.io
def decode_image(data, mode=None, apply_exif_orientation=False):
    picture = PIL.Image.open(io.BytesIO(bytes(data.numpy())))
    return torch.from_numpy(numpy.array(picture.convert("RGB"))).permute(2, 0, 1)
torchvision.io.decode_image = decode_image
from transformers.cli.transformers import main
sys.argv = ["transformers", "serve", *sys.argv[1:]]
main()
"""

_GGUF = """
import sys, numpy, gguf
out = gguf.GGUFWriter(sys.argv[1], "llama")
size, heads, layers, feed = 64, 4, 2, 128
words = [b"<unk>", b"<s>", b"</s>"] + [f"<0x{i:02X}>".encode() for i in range(256)]
words += [f"{chr(97 + i)}{chr(97 + j)}".encode() for i in range(26) for j in range(26)]
kinds = [2, 3, 3] + [6] * 256 + [1] * 676
out.add_context_length(4096); out.add_embedding_length(size); out.add_block_count(layers)
out.add_feed_forward_length(feed); out.add_head_count(heads); out.add_head_count_kv(heads)
out.add_layer_norm_rms_eps(1e-5); out.add_rope_dimension_count(size // heads); out.add_vocab_size(len(words))
out.add_tokenizer_model("llama"); out.add_token_list(words); out.add_token_scores([0.0] * len(words))
out.add_token_types(kinds); out.add_bos_token_id(1); out.add_eos_token_id(2); out.add_unk_token_id(0)
random = numpy.random.default_rng(0)
def tensor(name, *shape):
    out.add_tensor(name, (random.standard_normal(shape) * 0.05).astype(numpy.float32))
tensor("token_embd.weight", len(words), size); tensor("output.weight", len(words), size)
out.add_tensor("output_norm.weight", numpy.ones(size, numpy.float32))
for i in range(layers):
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"): tensor(f"blk.{i}.{name}.weight", size, size)
    tensor(f"blk.{i}.ffn_gate.weight", feed, size); tensor(f"blk.{i}.ffn_up.weight", feed, size)
    tensor(f"blk.{i}.ffn_down.weight", size, feed)
    for name in ("attn_norm", "ffn_norm"): out.add_tensor(f"blk.{i}.{name}.weight", numpy.ones(size, numpy.float32))
out.write_header_to_file(); out.write_kv_data_to_file(); out.write_tensors_to_file(); out.close()
"""


def interpreter(variable: str) -> str:
    python = os.environ.get(variable, "")
    if not python:
        pytest.skip(f"{variable} names no environment")
    return python


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], *, port: int, log: Path, ready: str, **environment: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
        try:
            for _ in range(600):
                if process.poll() is not None:
                    pytest.fail(log.read_text(errors="replace")[-2000:])
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2).close()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.2)
            yield
        finally:
            process.kill()
            process.wait()


def test_transformers_serve_looks_at_our_frames_and_answers(tmp_path: Path) -> None:
    python = interpreter("VVLM_SERVE_PYTHON")
    from tests.tiny_models import tiny_model

    model, port = str(tiny_model("qwen2_5_vl")), free_port()
    site = next(path for path in sys.path if path.endswith("site-packages"))
    command = [python, "-c", _SERVE, model, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = tmp_path / "log"
    with running(
        command, port=port, log=log, ready="/health", HF_HUB_OFFLINE="1", PYTHONPATH=f"{_ROOT}{os.pathsep}{site}"
    ):
        jobs = Jobs()
        options = ServerOptions(f"http://127.0.0.1:{port}/v1", model, longest_side_px=128, max_tokens=40)
        sent = {**options.to_json(), "allow_upload": True, "sampling": {"frames": 4}}
        recorder = jobs.add(clip("h264_bframes.mp4"), sent, backend="server", secrets={})
        (outcome,) = jobs.run(ServerBackend())
        answer = answer_of(outcome)
    print("\n", answer.settings, answer.timings, answer.flags)
    assert answer.raw_text
    assert len(answer.frames_pts) == 4
    assert answer.settings["schema_enforced"] == "none"
    assert answer.settings["requests"] == 2
    assert recorder.states[-1] == "sent"


def test_llama_cpp_enforces_our_schema(tmp_path: Path) -> None:
    python, weights = interpreter("VVLM_LLAMA_PYTHON"), tmp_path / "tiny.gguf"
    subprocess.run([python, "-c", _GGUF, str(weights)], check=True)
    port = free_port()
    command = [python, "-m", "llama_cpp.server", "--model", str(weights), "--port", str(port), "--n_ctx", "2048"]
    with running(command, port=port, log=tmp_path / "log", ready="/v1/models"):
        options = ServerOptions(f"http://127.0.0.1:{port}/v1", temperature=1.0)
        found = connection.test_connection(
            options.to_json(), secrets={}, progress=lambda *_: None, cancelled=lambda: False
        )
        client, http = make_client(options.base_url, None)
        said = []
        for _ in range(10):
            said.append(
                chat(
                    client,
                    options,
                    [{"role": "user", "content": "Describe it."}],
                    model=found["model"],
                    max_tokens=600,
                    response_format=Abilities(found["schema"], logprobs=False).response_format(SCHEMA),
                    logprobs=found["logprobs"],
                    extra=None,
                    cancelled=lambda: False,
                )
            )
        http.close()
    print("\n", found, said[0].text, len(said[0].tokens))
    assert found["schema"] == "object"
    readings = [read_answer(SCHEMA, each.text) for each in said]
    wanted = {field.key for field in SCHEMA.fields if field.kind != "text"}
    assert all(wanted <= set(reading.labels) for reading in readings)
