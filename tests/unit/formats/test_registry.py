from __future__ import annotations

import importlib
import json
import sys

import pytest

from tests.unit.formats.items import context, dashcam, make_clip, reviewed
from vvlm_desktop import formats
from vvlm_desktop.errors import FormatError
from vvlm_desktop.formats import registry

NAMES = [
    *("ours", "internvl", "llamafactory", "metadata", "metadata-training-code", "ms-swift", "prompt-text", "qwen-vl"),
    *("videofolder", "videofolder-completion"),
]


def test_ours_comes_first_and_all_are_there():
    assert list(registry.FORMATS) == NAMES


def test_a_format_is_added_by_adding_one_file(tmp_path, monkeypatch):
    (tmp_path / "extra_format.py").write_text(
        "class Extra:\n    name = 'extra'\n    def sniff(self, path):\n        return False\nFORMATS = (Extra(),)\n"
    )
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    importlib.invalidate_caches()

    assert "extra" in registry._found()
    sys.modules.pop("vvlm_desktop.formats.extra_format")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(FormatError, match="nonsense") as caught:
        registry.get_format("nonsense")

    assert all(name in caught.value.hint for name in NAMES)
    assert registry.get_format(" LLaMAFactory ").name == "llamafactory"


@pytest.mark.parametrize("name", NAMES)
def test_each_format_knows_its_own(tmp_path, name):
    registry.FORMATS[name].write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())

    assert registry.sniff(tmp_path / "out") == name


def test_ours_is_known_by_folder_manifest_and_records(tmp_path):
    registry.FORMATS["ours"].write([reviewed(make_clip(tmp_path / "in"))], tmp_path / "out", context=context())
    records = tmp_path / "renamed.txt"
    records.write_bytes((tmp_path / "out" / "corrections.jsonl").read_bytes())

    for path in (tmp_path / "out", tmp_path / "out" / "manifest.json", records):
        assert registry.sniff(path) == "ours"
        assert len(registry.read_import(path, schemas=[dashcam()]).records) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"<html>", b"[" * 100_000, b'{"format": "other"}', b"null", b"\xff\xfe{}"]
)
def test_foreign_files_are_known_as_nothing(tmp_path, content):
    for name in ("x.jsonl", "manifest.json", "metadata.jsonl"):
        file = tmp_path / name
        file.write_bytes(content)
        assert registry.sniff(file) is None

    with pytest.raises(FormatError, match="no format that is known"):
        registry.import_format_of(file)
    assert registry.sniff(tmp_path / "nothing here") is None


def test_a_format_that_cannot_be_read_back_says_so(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"messages": [], "videos": ["a.mp4"]}))

    with pytest.raises(FormatError, match="not read back") as caught:
        registry.read_import(file, schemas=[])
    assert all(name in caught.value.hint for name in ("ours", "metadata", "prompt-text", "nexar", "url-csv"))

    with pytest.raises(FormatError, match="There is no"):
        registry.read_import(tmp_path / "gone", schemas=[])
