"""From a clip to what the model is fed, by the same sampler, reader and input function as analyses."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any

from training.features import FeatureStore, Tensors, choose_cut, compute_features, content_key, is_picture
from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.errors import ClipUnreadableError, FrameUnreadableError

if TYPE_CHECKING:
    from training.training_set import Example
    from vvlm_desktop.backends.local.families.base import Family
    from vvlm_desktop.backends.local.loading import LoadedModel
    from vvlm_desktop.backends.train_config import TrainConfig
    from vvlm_desktop.video.index import FrameIndex

#: Rows in memory, so that small sets are not even read from disk again.
_KEPT_BYTES = 1 << 30
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class ClipRow:
    """One clip as the model takes it, without its answer.

    Attributes:
        text: tokens of the prompt, and what is said about the pictures; shape [1, tokens] and others.
        pictures: features, or pixels.
    """

    text: Tensors
    pictures: Tensors

    @property
    def size_bytes(self) -> int:
        """Memory that it takes."""
        return sum(each.nbytes for each in (*self.text.values(), *self.pictures.values()))

    @property
    def tokens(self) -> int:
        """Length of the prompt with its pictures."""
        return int(self.text["input_ids"].shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Which frames of a clip the model is shown, and how large; `size` is width and height."""

    index: FrameIndex
    frame_indices: tuple[int, ...]
    size: tuple[int, int]

    @property
    def pts(self) -> tuple[int, ...]:
        """Identity of each frame."""
        return tuple(self.index.pts[frame_index] for frame_index in self.frame_indices)


def choose_shown(example: Example, config: TrainConfig, family: Family, *, damaged: bool = False) -> Shown:
    """Read the frame index of a clip and choose, without decoding.

    Args:
        damaged: decode all of it once, and choose among the frames that can be shown.

    Raises:
        ClipUnreadableError: the file gives no pictures, or lacks a frame that the set names.
    """
    from vvlm_desktop.video.index import read_index
    from vvlm_desktop.video.probe import examine

    read = examine if damaged else read_index
    index = read(example.path, stream_index=example.stream_index)
    if not index.pts:
        raise ClipUnreadableError(example.path, index.problem or "no picture can be decoded")
    chosen = chosen_frames(example, index, config)
    return Shown(index, chosen, family.decode_size(index.width, index.height, frames=len(chosen)))


def chosen_frames(example: Example, index: FrameIndex, config: TrainConfig) -> tuple[int, ...]:
    """Numbers of the frames: those that the analysis saw if so configured, else as an analysis would choose them.

    Raises:
        ClipUnreadableError: a stored frame is not in the clip.
    """
    from vvlm_desktop.backends.local.rounds import choose_frames, first_look

    if config.sampling == "stored" and example.stored_pts:
        try:
            return tuple(sorted({index.number(pts) for pts in example.stored_pts}))[: config.frames]
        except ValueError as error:
            raise ClipUnreadableError(example.path, f"the set names a frame that it does not have ({error})") from error
    sampling = Sampling(kind="fps" if config.sampling == "fps" else "uniform", frames=config.frames, fps=config.fps)
    look = first_look(question=False, rounds=1, iterative=False)
    return choose_frames(index, sampling, look, frames=config.frames)


@dataclass(slots=True)
class ClipRows:
    """The rows of all clips, each made once.

    Attributes:
        store: None to make every row anew, whenever it is asked for.
        made, found: how many rows were made, and how many were found on disk.
        damaged: clips of which only those frames are shown that can be.
    """

    loaded: LoadedModel
    config: TrainConfig
    prompt: str
    base_fingerprint: str
    store: FeatureStore | None
    made: int = 0
    found: int = 0
    damaged: dict[str, str] = field(default_factory=dict)
    _kept: OrderedDict[str, ClipRow] = field(default_factory=OrderedDict)
    _kept_bytes: int = 0
    _chosen: dict[str, Shown] = field(default_factory=dict)

    def row(self, example: Example) -> ClipRow:
        """The row of a clip.

        Raises:
            ClipUnreadableError: it does not decode, or is another file than the set says.
        """
        kept = self._kept.get(example.clip_id)
        if kept is not None:
            self._kept.move_to_end(example.clip_id)
            return kept
        try:
            row = self._found_or_made(example)
        except FrameUnreadableError:
            # As analyses do: a damaged clip is looked at where it can be.
            if example.clip_id in self.damaged:
                raise
            self.damaged[example.clip_id] = example.name
            self._chosen[example.clip_id] = choose_shown(example, self.config, self.loaded.family, damaged=True)
            row = self._found_or_made(example)
        if self.store is not None:
            self._keep(example.clip_id, row)
        return row

    def with_pixels(self) -> ClipRows:
        """The same clips and frames with their pixels instead of features, for those who want to look at them."""
        return replace(self, store=None, _kept=OrderedDict(), _kept_bytes=0)

    def _found_or_made(self, example: Example) -> ClipRow:
        if self.store is not None:
            return self._from_disk(example)
        row = self._make(example)
        self.made += 1
        return row

    def _from_disk(self, example: Example) -> ClipRow:
        assert self.store is not None
        facts = self._facts(example)
        picture_key = content_key(facts)
        text_key = content_key({**facts, "prompt": hashlib.sha256(self.prompt.encode()).hexdigest()})
        pictures, text = self.store.get(picture_key), self.store.get(text_key)
        if pictures is not None and text is not None:
            self.found += 1
            return ClipRow(text, pictures)
        row = self._make(example, pictures)
        self.made += 1
        if pictures is None:
            self.store.put(picture_key, row.pictures)
        self.store.put(text_key, row.text)
        return row

    def _make(self, example: Example, pictures: Tensors | None = None) -> ClipRow:
        from vvlm_desktop.backends.local.inputs import ModelInput, encode_clip, read_frames

        _require_same_file(example)
        shown = self.shown(example)
        frames = read_frames(example.path, shown.index, shown.frame_indices, size=shown.size)
        row = encode_clip(self.loaded, ModelInput(frames, self.prompt))
        text = {name: tensor for name, tensor in row.items() if not is_picture(name)}
        if self.store is None:
            return ClipRow(text, {name: tensor for name, tensor in row.items() if is_picture(name)})
        return ClipRow(text, pictures or compute_features(self.loaded.model, row, cut=self._cut))

    @property
    def _cut(self) -> Any:
        return choose_cut(self.loaded.family, projector=self.config.projector)

    def _facts(self, example: Example) -> dict[str, Any]:
        """All that features depend on."""
        shown = self.shown(example)
        return {
            "clip": example.sha256,
            "stream": example.stream_index,
            "pts": list(shown.pts),
            "size": list(shown.size),
            "model": self.base_fingerprint,
            "family": self.loaded.family.name,
            "cut": self._cut,
            "dtype": str(self.loaded.model.dtype),
            "device": self.loaded.device.type,
            "versions": [metadata.version(name) for name in ("transformers", "torch", "av", "vvlm-desktop")],
        }

    def shown(self, example: Example) -> Shown:
        """Which frames of a clip are shown.

        Raises:
            ClipUnreadableError: the file gives no pictures, or lacks a frame that the set names.
        """
        if example.clip_id not in self._chosen:
            self._chosen[example.clip_id] = choose_shown(example, self.config, self.loaded.family)
        return self._chosen[example.clip_id]

    def _keep(self, clip_id: str, row: ClipRow) -> None:
        if row.size_bytes > _KEPT_BYTES // 4:
            return
        self._kept[clip_id] = row
        self._kept_bytes += row.size_bytes
        while self._kept_bytes > _KEPT_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= oldest.size_bytes


def _require_same_file(example: Example) -> None:
    digest = hashlib.sha256()
    try:
        with example.path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise ClipUnreadableError(example.path, error.strerror or str(error)) from error
    if digest.hexdigest() != example.sha256:
        raise ClipUnreadableError(
            example.path, "it is another file than the one that was reviewed", hint="Export the set again."
        )
