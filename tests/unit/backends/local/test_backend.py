"""The local backend through its production path: real clips of the test suite, tiny models of both architectures."""

import gc
import json
import weakref
from dataclasses import replace

import pytest

from tests.clips import clip
from tests.tiny_models import tiny_adapter, tiny_model
from tests.unit.backends.local.local_jobs import SMALL, Feed, JobNotes, index_of, options, run, run_one
from vvlm_desktop.backends import local_options
from vvlm_desktop.backends.base import Answer, ManyBackend
from vvlm_desktop.backends.catalogue import resolve
from vvlm_desktop.backends.gpu_slot import GpuSlot
from vvlm_desktop.backends.local import devices, looking, pipeline, resident
from vvlm_desktop.backends.local.backend import IDLE_S, LocalBackend
from vvlm_desktop.backends.local_options import Sampling
from vvlm_desktop.domain.labels import normalise
from vvlm_desktop.domain.prompt import build_prompt, prompt_sha
from vvlm_desktop.errors import (
    BackendError,
    BackendUnavailableError,
    ClipUnreadableError,
    JobCancelledError,
    ModelFolderError,
    OutOfMemoryError,
    UsageError,
)
from vvlm_desktop.video.sampling import uniform

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A random model never ends a free text by itself; collecting the garbage of all that torch has takes a second."""
    monkeypatch.setattr(looking, "QUESTION_TOKENS", 12)
    monkeypatch.setattr(devices, "let_go_of_memory", lambda: None)


@pytest.fixture(scope="module")
def backend():
    return LocalBackend()


@pytest.mark.parametrize("family", ["internvl", "qwen2_5_vl"])
def test_every_field_is_answered_in_the_schema_s_words(backend, family):
    notes = JobNotes(options=options(family))
    (answer,) = run(backend, notes)
    assert isinstance(answer, Answer), answer
    assert list(answer.labels) == [field.key for field in SMALL.model_fields if field.key in answer.labels]
    assert normalise(SMALL, json.loads(answer.raw_text))[0] == dict(answer.labels)
    assert answer.model == f"tiny {family}"
    assert answer.adapter is None
    assert answer.provenance == "model"
    assert answer.prompt_sha == prompt_sha(build_prompt(SMALL))
    assert answer.frames_pts == tuple(index_of().pts[i] for i in uniform(index_of(), 8))
    assert 0.0 < answer.confidence["event_type"] <= 1.0
    assert answer.confidence.get("caption") is None
    assert answer.confidence_kind == "token_probability"
    assert 0.0 < answer.legal_mass["event_type"] <= 1.0
    assert sum(answer.value_confidence["event_type"].values()) == pytest.approx(1.0)
    assert answer.rounds == ()
    assert Answer.from_json(json.loads(json.dumps(answer.to_json(), allow_nan=False))) == answer


def test_what_it_ran_with_and_what_it_took_is_stored(backend):
    answer = run_one(backend)
    assert answer.settings["precision"] == "fp32"
    assert answer.settings["device"] == "cpu"
    assert answer.settings["frames"] == 8
    assert answer.settings["size_px"] == [448, 448]
    assert answer.settings["batch"] == 1
    assert {"torch", "transformers", "llguidance"} <= set(answer.settings["versions"])
    assert {"read_s", "prepare_s", "prefill_s", "decode_s", "forward_passes", "tokens"} <= set(answer.timings)
    assert answer.timings["forward_passes"] < answer.timings["tokens"]
    assert local_options.ON_PROCESSOR_BY_CHOICE in answer.flags


def test_progress_goes_through_the_stages_and_never_back(backend):
    notes = JobNotes()
    run(backend, notes)
    words = [stage for _, stage in notes.stages]
    for word in ("reading frames", "looking at 8 frames", "answering"):
        assert any(word in stage for stage in words), word
    fractions = [done for done, stage in notes.stages if "memory" not in stage and "loading" not in stage]
    assert fractions == sorted(fractions)


def test_the_catalogue_leads_here():
    backend = resolve("local")
    assert isinstance(backend, LocalBackend)
    assert isinstance(backend, ManyBackend)


def test_an_answer_for_teaching_is_marked(backend):
    assert run_one(backend, options=options(teacher=True)).provenance == "teacher_draft"


# --- questions ------------------------------------------------------------------------------------------------------


def test_a_question_about_a_part_sees_only_that_part(backend):
    answer = run_one(backend, question="Is the light red?", range_ms=(1000, 2000))
    assert (answer.kind, answer.question, answer.labels) == ("question", "Is the light red?", {})
    assert answer.raw_text
    assert answer.timings["tokens"] <= 12
    assert any("cut off" in flag for flag in answer.flags) == (answer.timings["tokens"] == 12)
    assert answer.confidence_kind is None
    assert answer.settings["range_ms"] == [1000, 2000]
    index = index_of()
    assert answer.frames_pts == tuple(index.pts[i] for i in uniform(index, 8, start=1.0, end=2.0))


def test_a_part_that_is_not_in_the_clip_fails_alone(backend):
    outcomes = run(backend, JobNotes(question="?", range_ms=(90_000, 99_000)), JobNotes(question="What is there?"))
    assert isinstance(outcomes[0], UsageError)
    assert isinstance(outcomes[1], Answer)


# --- several clips --------------------------------------------------------------------------------------------------


def test_a_batch_says_what_each_clip_alone_gets(backend):
    names = ["h264_bframes.mp4", "h264_vfr.mp4", "h264_gop250.mp4", "h264_edit_list.mp4", "h264_large.mp4"]
    together = run(backend, *(JobNotes(clip(name), options=options(batch=3)) for name in names))
    assert [answer.settings["batch"] for answer in together] == [3, 3, 3, 2, 2]
    assert len({len(answer.frames_pts) for answer in together}) > 1, "clips of one length prove little"
    for name, answer in zip(names, together, strict=True):
        alone = run_one(backend, clip(name), options=options(batch=1))
        assert alone.raw_text == answer.raw_text
        assert alone.frames_pts == answer.frames_pts
        assert alone.confidence["event_type"] == pytest.approx(answer.confidence["event_type"], abs=1e-4)


def test_jobs_are_taken_in_small_portions_so_that_others_can_be_added(backend):
    notes = [JobNotes(options=options(batch=2, frames=1)) for _ in range(9)]
    feed = Feed(notes)
    most_held = held = 0
    taken = feed.take

    def counted(limit):
        nonlocal held, most_held
        jobs = taken(limit)
        held += len(jobs)
        most_held = max(most_held, held)
        return jobs

    feed.take = counted
    for _ in backend.analyse_many(feed):
        held -= 1
    assert held == 0
    assert 2 < most_held <= 6


def test_a_question_goes_before_clips_that_were_read_ahead(backend):
    notes = [JobNotes(options=options(frames=1, batch=1)) for _ in range(2)]
    asked = JobNotes(options=options(frames=1, batch=1), question="Who brakes?")
    ended = [job.request.id for job, _ in backend.analyse_many(Feed([*notes, asked]))]
    assert ended.index(asked.job.request.id) < ended.index(notes[1].job.request.id)


def test_an_unreadable_clip_among_good_ones_fails_alone(backend, tmp_path):
    (tmp_path / "page.mp4").write_text("<html>", encoding="utf-8")
    outcomes = run(backend, JobNotes(), JobNotes(tmp_path / "page.mp4"), JobNotes(tmp_path / "gone.mp4"), JobNotes())
    assert isinstance(outcomes[0], Answer)
    assert isinstance(outcomes[1], ClipUnreadableError)
    assert "gone.mp4" in str(outcomes[2])
    assert outcomes[0].raw_text == outcomes[3].raw_text


@pytest.mark.parametrize(("name", "frames"), [("zeroed.mp4", 8), ("flipped.mp4", 6)])
def test_a_damaged_clip_is_looked_at_where_it_can_be_and_says_so(backend, name, frames):
    answer = run_one(backend, clip(name))
    assert len(answer.frames_pts) == frames
    assert set(answer.frames_pts) <= set(index_of(name).pts)
    assert any("damaged" in flag for flag in answer.flags)


@pytest.mark.parametrize("name", ["hollow.mp4", "html.mp4", "audio_only.mp4"])
def test_a_clip_without_pictures_is_an_error_a_reviewer_can_read(backend, name):
    with pytest.raises(ClipUnreadableError) as caught:
        run_one(backend, clip(name))
    assert str(caught.value).startswith(name)
    assert caught.value.hint


def test_options_that_cannot_be_read_fail_alone(backend):
    outcomes = run(backend, JobNotes(options={"nonsense": 1}), JobNotes())
    assert isinstance(outcomes[0], BackendError)
    assert isinstance(outcomes[1], Answer)


# --- one load -------------------------------------------------------------------------------------------------------


def test_base_and_adapter_come_from_one_load_with_the_same_frames_and_prompt(tmp_path):
    backend = LocalBackend()
    adapter = tiny_adapter(tmp_path / "adapter", tiny_model("internvl"), seed=1, strength=20.0)
    tuned = options(adapter="mine", adapter_dir=str(adapter))
    notes = [JobNotes(options=each) for each in (options(), tuned, options(), tuned)]
    base, mine, base_again, mine_again = run(backend, *notes)
    assert backend.loads == 1
    assert (base.adapter, mine.adapter) == (None, "mine")
    assert base.raw_text == base_again.raw_text
    assert base.confidence == base_again.confidence
    assert mine.raw_text == mine_again.raw_text
    assert mine.confidence["event_type"] != base.confidence["event_type"]
    assert (base.frames_pts, base.prompt_sha, base.settings) == (mine.frames_pts, mine.prompt_sha, mine.settings)
    assert run_one(backend).raw_text == base.raw_text
    assert backend.loads == 1, "kept from one call to the next"


def test_another_model_takes_the_place_of_the_first_once_its_jobs_are_done():
    backend = LocalBackend()
    order = ("internvl", "qwen2_5_vl", "internvl", "qwen2_5_vl")
    outcomes = run(backend, *(JobNotes(options=options(each)) for each in order))
    assert [each.settings["family"] for each in outcomes] == list(order)
    assert backend.loads == 2


def test_nothing_keeps_a_model_alive_that_was_let_go_of(monkeypatch):
    seen = []
    real = resident.load_model

    def load(*args, **kw):
        loaded = real(*args, **kw)
        seen.append(weakref.ref(loaded.model))
        return loaded

    monkeypatch.setattr(resident, "load_model", load)
    backend = LocalBackend()
    run_one(backend, options=options(frames=1))
    assert seen[0]() is not None
    backend.close()
    gc.collect()
    assert seen[0]() is None


def test_a_folder_that_cannot_be_used_fails_its_jobs_and_no_others(backend, tmp_path):
    outcomes = run(backend, JobNotes(options=options(model_dir=str(tmp_path / "absent"))), JobNotes())
    assert isinstance(outcomes[0], ModelFolderError)
    assert isinstance(outcomes[1], Answer)


def test_an_adapter_that_cannot_be_used_fails_alone(backend, tmp_path):
    (tmp_path / "empty").mkdir()
    outcomes = run(backend, JobNotes(options=options(adapter="x", adapter_dir=str(tmp_path / "empty"))), JobNotes())
    assert isinstance(outcomes[0], ModelFolderError)
    assert isinstance(outcomes[1], Answer)


def test_an_adapter_that_may_be_of_another_model_is_said_on_its_answers_only(tmp_path):
    backend = LocalBackend()
    sister = tmp_path / "sister"
    sister.symlink_to(tiny_model("internvl"))
    made = tiny_adapter(tmp_path / "mine", tiny_model("internvl"), seed=3)
    tuned = options(frames=1, model_dir=str(sister), adapter="mine", adapter_dir=str(made))
    mine, base = run(
        backend, JobNotes(options=tuned), JobNotes(options={**tuned, "adapter": None, "adapter_dir": None})
    )
    assert any("made for" in flag and "sister" in flag for flag in mine.flags)
    assert not any("made for" in flag for flag in base.flags)


def test_a_precision_that_somebody_insisted_on_is_not_kept_for_those_who_did_not():
    backend = LocalBackend()
    order = ("bf16", "auto", "fp32", "auto")
    outcomes = run(backend, *(JobNotes(options=options(frames=1, precision=each)) for each in order))
    assert [each.settings["precision"] for each in outcomes] == ["bf16", "fp32", "fp32", "fp32"]
    assert backend.loads == 2


# --- stopping -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["reading frames", "looking at", "answering"])
def test_cancelling_one_leaves_the_others(backend, stage):
    notes = [JobNotes(options=options(batch=2), cancel_at=stage), JobNotes(options=options(batch=2))]
    outcomes = run(backend, *notes)
    assert isinstance(outcomes[0], JobCancelledError)
    assert isinstance(outcomes[1], Answer)
    assert len([words for _, words in notes[0].stages if "answering" in words]) <= 1


def test_stopping_in_the_middle_leaves_no_thread_and_no_model_in_doubt(backend):
    run_on = backend.analyse_many(Feed([JobNotes(options=options(frames=1)) for _ in range(3)]))
    next(run_on)
    run_on.close()
    assert run_one(backend).labels


def test_a_fault_of_the_program_over_one_clips_frames_is_told_and_fails_it_alone(backend, monkeypatch):
    real = pipeline.read_look

    def broken(task):
        if task.options.sampling.frames == 3:
            raise ZeroDivisionError("three")
        real(task)

    monkeypatch.setattr(pipeline, "read_look", broken)
    outcomes = run(backend, *(JobNotes(options=options(frames=frames)) for frames in (1, 3, 2)))
    assert isinstance(outcomes[1], BackendError)
    assert "ZeroDivisionError: three" in str(outcomes[1])
    assert isinstance(outcomes[1].__cause__, ZeroDivisionError)
    assert [type(outcomes[n]) for n in (0, 2)] == [Answer, Answer]


def test_a_fault_in_a_pass_is_not_hidden_and_leaves_no_thread(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    backend = LocalBackend()
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "look_at", broken)
        with pytest.raises(ZeroDivisionError):
            list(backend.analyse_many(Feed([JobNotes(options=options(frames=1))])))
    assert run_one(backend, options=options(frames=1)).labels


def test_frames_that_cannot_be_held_in_memory_are_fewer_the_next_time(backend, monkeypatch):
    real = pipeline.read_look

    def short(task):
        if task.level.frames > 4:
            raise MemoryError
        real(task)

    monkeypatch.setattr(pipeline, "read_look", short)
    answer = run_one(backend)
    assert len(answer.frames_pts) == 4
    assert any("4 frames instead of 8" in flag for flag in answer.flags)


# --- devices --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pretended_gpu(monkeypatch):
    """A GPU in every decision before the weights are loaded, which then go to the processor."""
    monkeypatch.setattr(devices, "choose_device", lambda wanted: "cpu" if wanted == "cpu" else "cuda:0")
    monkeypatch.setattr(devices, "free_bytes", lambda _device: 64 << 30)
    real = resident.load_model
    monkeypatch.setattr(
        resident, "load_model", lambda folder, *, precision, device: real(folder, precision=precision, device="cpu")
    )


def test_a_taken_gpu_is_waited_for_until_nobody_wants_the_answer(pretended_gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "slot_patience_s", 0.01)
    backend = LocalBackend()
    file = tmp_path / "gpu.lock"
    notes = JobNotes(options=options(device="auto", gpu_slot=str(file)), cancel_at="fine-tune run 7")
    with GpuSlot(file) as other:
        assert other.acquire("fine-tune run 7")
        (outcome,) = run(backend, notes)
    assert isinstance(outcome, JobCancelledError)
    assert "waiting: The GPU is taken: fine-tune run 7 (process" in notes.stages[-1][1]
    assert backend.loads == 0


def test_a_taken_gpu_is_used_as_soon_as_it_is_free(pretended_gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "slot_patience_s", 0.01)
    file = tmp_path / "gpu.lock"
    other = GpuSlot(file)
    assert other.acquire("fine-tune run 7")
    notes = JobNotes(options=options(device="auto", gpu_slot=str(file)))
    told = notes.job.progress

    def release(done, stage):
        told(done, stage)
        if stage.startswith("waiting: ") and other.held:
            other.release()

    notes.job = replace(notes.job, progress=release)
    backend = LocalBackend()
    (outcome,) = run(backend, notes)
    backend.close()
    assert isinstance(outcome, Answer), outcome
    assert any("fine-tune run 7" in stage for _, stage in notes.stages)


def test_a_model_that_does_not_fit_does_not_keep_the_gpu(pretended_gpu, monkeypatch, tmp_path):
    monkeypatch.setattr(devices, "free_bytes", lambda _device: 1 << 20)
    file = tmp_path / "gpu.lock"
    (outcome,) = run(LocalBackend(), JobNotes(options=options(device="auto", gpu_slot=str(file))))
    assert isinstance(outcome, OutOfMemoryError)
    assert GpuSlot(file).holder() is None


def test_the_gpu_is_held_while_a_model_is_loaded_and_batches_are_as_large_as_fits(pretended_gpu, tmp_path):
    backend = LocalBackend()
    file = tmp_path / "gpu.lock"
    outcomes = run(backend, *(JobNotes(options=options(device="auto", gpu_slot=str(file), frames=2)) for _ in range(3)))
    assert [each.settings["precision"] for each in outcomes] == ["bf16"] * 3
    assert max(each.settings["batch"] for each in outcomes) > 1
    holder = GpuSlot(file).holder()
    assert holder is not None
    assert "tiny internvl" in holder.purpose
    backend.close()
    assert GpuSlot(file).holder() is None


def test_a_fault_in_a_pass_lets_go_of_the_gpu(pretended_gpu, monkeypatch, tmp_path):
    def broken(*_):
        raise ZeroDivisionError

    given = options(device="auto", gpu_slot=str(tmp_path / "gpu.lock"), frames=1)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "look_at", broken)
        with pytest.raises(ZeroDivisionError):
            list(LocalBackend().analyse_many(Feed([JobNotes(options=given)])))
    # The worker goes on with a new backend, in the same process.
    assert run_one(LocalBackend(), options=given).labels


def test_a_model_with_nothing_to_do_is_let_go_of_when_the_gpu_is_wanted_or_after_a_while(
    pretended_gpu, monkeypatch, tmp_path
):
    file = tmp_path / "gpu.lock"
    given = options(device="auto", gpu_slot=str(file), frames=1)
    backend = LocalBackend()
    run_one(backend, options=given)
    backend.rest(IDLE_S - 1)
    assert GpuSlot(file).holder() is not None
    file.with_name("gpu.lock.wanted").touch()
    backend.rest(0.0)
    assert GpuSlot(file).holder() is None
    run_one(backend, options=given)
    assert backend.loads == 2
    file.with_name("gpu.lock.wanted").unlink(missing_ok=True)
    backend.rest(IDLE_S)
    assert GpuSlot(file).holder() is None


def test_without_a_gpu_that_is_told_plainly(monkeypatch, backend):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert local_options.ON_PROCESSOR in run_one(LocalBackend(), options=options(device="auto")).flags
    (outcome,) = run(backend, JobNotes(options=options(device="cuda:0")))
    assert isinstance(outcome, BackendUnavailableError)
    assert outcome.hint


# --- sampling -------------------------------------------------------------------------------------------------------


def test_more_frames_than_the_family_takes_are_cut_and_told(backend):
    answer = run_one(backend, options=options(sampling=Sampling(frames=80)))
    assert len(answer.frames_pts) == 64
    assert any("64 frames at most" in flag for flag in answer.flags)
