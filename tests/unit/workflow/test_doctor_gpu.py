import importlib.metadata

import pytest

from tests.model_folders import write_model
from vvlm_desktop import paths
from vvlm_desktop.backends.model_record import DownloadPlan, partial_folder_of, write_plan
from vvlm_desktop.workflow import doctor
from vvlm_desktop.workflow.gpu import Gpu, Hardware

GPU = Gpu(0, "RTX 4090", 24 << 30, 20 << 30)


def computer(*, gpus=(GPU,), driver="550.90", cuda="12.4"):
    return Hardware(gpus, driver if gpus else "", cuda if gpus else "", "" if gpus else "No GPU.", "", 1, 1, 1)


def torch_of(monkeypatch, version, cuda):
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: version)
    monkeypatch.setattr(doctor, "torch_cuda", lambda: cuda)


@pytest.mark.parametrize(
    ("on", "version", "cuda", "state", "said", "mend"),
    [
        (computer(), "2.13.0+cpu", None, "missing", "processors only", "--torch cuda"),
        (computer(), "2.13.0+cu130", "13.0", "missing", "only knows CUDA 12.4", "newer NVIDIA driver"),
        (computer(cuda="13.1"), "2.13.0+cu130", "13.0", "ok", "CUDA 13.0", ""),
        (computer(cuda="12.2"), "2.9.0+cu128", "12.8", "ok", "CUDA 12.8", ""),
        (computer(gpus=()), "2.13.0+cpu", None, "ok", "there is no GPU", ""),
        (computer(gpus=()), "2.13.0+cu130", "13.0", "missing", "no GPU can be used", ""),
    ],
)
def test_driver_and_build_are_compared(monkeypatch, on, version, cuda, state, said, mend):
    torch_of(monkeypatch, version, cuda)
    check = doctor._torch_build(on)
    assert check.state == state
    assert said in check.found
    assert mend in check.mend


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\n", "13.0"),
        ('cuda = "12.8"\n', "12.8"),
        ("__all__ = ['cuda']\ncuda: Optional[str] = None\nhip: Optional[str] = '6.4'\n", None),
        ("", None),
    ],
)
def test_the_build_is_read_from_the_package_without_importing_it(tmp_path, text, cuda):
    (tmp_path / "version.py").write_text(text)
    assert doctor.torch_cuda(tmp_path) == cuda
    assert doctor.torch_cuda(tmp_path / "absent") is None


def test_models_are_named_with_what_is_wrong_with_them():
    folder = paths.default_models_dir()
    write_model(folder / "good")
    bad = write_model(folder / "bad")
    (bad / "model-00002-of-00002.safetensors").unlink()
    partial = partial_folder_of(folder, "A/b")
    partial.mkdir(parents=True)
    write_plan(partial, DownloadPlan("A/b", "c" * 40, 10))
    found = {check.found: check for check in doctor.examine() if check.name.startswith("Local model")}
    assert any("good" in text and check.state == "ok" for text, check in found.items())
    assert any("incomplete" in text and check.mend for text, check in found.items())
    assert any("partly here" in text and check.mend == "vvlm models download A/b" for text, check in found.items())
