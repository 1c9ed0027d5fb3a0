"""The whole loop in the window: analysed, corrected by keys, trained on, measured on clips never seen, promoted.

The clips come from the road simulator: day or night, a clean or an obscured camera. The model is tiny, its answers at
the start are chance. Beside the two visual fields the schema has one that is the same in every clip.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import tomli_w
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from tests.tiny_models import tiny_model
from vvlm_desktop import paths
from vvlm_desktop.domain.clip import clip_id
from vvlm_desktop.formats.split import assign_split
from vvlm_desktop.samples.scenario import Scenario
from vvlm_desktop.samples.simulate import simulate
from vvlm_desktop.settings import Settings
from vvlm_desktop.ui.main_window import MainWindow
from vvlm_desktop.video.index import read_index
from vvlm_desktop.workflow import promotion, runs
from vvlm_desktop.workflow.add import add_paths
from vvlm_desktop.workflow.model_import import import_folder
from vvlm_desktop.workflow.near_duplicates import fingerprint_file, looks_same
from vvlm_desktop.workflow.recordings import Member, group
from vvlm_desktop.workflow.session import open_session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

FIELDS = ("time_of_day", "camera_problem", "weather")
VISUAL = FIELDS[:2]
#: How many clips of each part: 24 train, and enough of the others to measure on.
WANTED = {"train": 24, "val": 6, "test": 24}
TRAINING = {
    "steps": "150",
    "batch": "4",
    "accumulation": "1",
    "learning_rate": "0.002",
    "rank": "16",
    "alpha": "32",
    "dropout": "0",
    "frames": "2",
    "projector": "true",
    "checkpointing": "false",
    "eval_every": "50",
    "save_every": "50",
}


@pytest.fixture(scope="module")
def fleet_schema(tmp_path_factory) -> Path:
    """The label schema of a fleet that asks for three things only."""
    known = tomllib.loads(paths.bundled_schema("dashcam").read_text(encoding="utf-8"))
    fields = {each["key"]: each for each in known["field"]}
    own = {
        "name": "fleet",
        "version": 1,
        "title": "Fleet",
        "prompt": known["prompt"],
        "field": [fields[key] for key in FIELDS],
    }
    file = tmp_path_factory.mktemp("schema") / "fleet.toml"
    file.write_text(tomli_w.dumps(own), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> dict[str, dict]:
    """Simulated clips by path, with their truth; drawn until every part has as many as wanted, no two alike."""
    folder, found, have, seen = tmp_path_factory.mktemp("clips"), {}, Counter(), []
    looks = list(itertools.product(("day", "night"), ("clean", "obscured")))
    scenes = ("rural", "suburban", "urban", "highway")
    for number in itertools.count():
        if all(have[split] >= wanted for split, wanted in WANTED.items()):
            return found
        light, lens = looks[number % 4]
        scenario = Scenario(
            "calm",
            light=light,
            lens=lens,
            scene=scenes[number // 4 % 4],
            density=("low", "medium")[number // 16 % 2],
            duration_s=1.0,
            stamp=False,
            sound=False,
        )
        path = folder / f"clip-{number:04}.mp4"
        truth = simulate(scenario, path, seed=1000 + number, size=(128, 72), fps=8)
        split = split_of(path)
        looks_like = fingerprint_file(path, read_index(path))
        if have[split] < WANTED[split] and not any(looks_same(looks_like, other) for other in seen):
            have[split] += 1
            seen.append(looks_like)
            found[str(path)] = {"split": split, **{key: truth.labels[key] for key in FIELDS}}
        else:
            path.unlink()
    raise AssertionError


def split_of(path: Path) -> str:
    """The part that a clip alone in its recording falls into."""
    key = clip_id(hashlib.sha256(path.read_bytes()).hexdigest(), 0)
    return assign_split(group([Member(key, str(path), 1.0)])[key])


class Reviewer:
    """Somebody at the window: keys, clicks, and patience."""

    def __init__(self, qtbot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window

    def press(self, keys: str) -> None:
        for key in keys.split():
            combination = QKeySequence(key)[0]
            target = QApplication.focusWidget() or self.window
            QTest.keyClick(target, combination.key(), combination.keyboardModifiers())

    def click(self, button: QAbstractButton) -> None:
        self.wait(lambda: button.isVisible() and button.isEnabled(), 60)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def wait(self, condition: Callable[[], object], seconds: float) -> None:
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=round(seconds * 1000))

    def page(self, name: str):
        self.window.navigate(name)
        return self.window._page(name)

    def settle(self, clip, truth: dict) -> None:
        """Correct every field of a clip by keys, and go on."""
        self.window.navigate("review", clip.id)
        page = self.window._page("review")
        self.wait(lambda: page.state is not None and page.state.clip.id == clip.id and page.desk.view.picture, 20)
        schema = self.window.session.schema
        for place, key in enumerate(FIELDS, start=1):
            field = schema.field(key)
            wanted = truth[key] if isinstance(truth[key], list) else [truth[key]]
            digits = [str(field.value_keys.index(value) + 1) for value in wanted]
            empty = ["0"] if field.kind == "any_of" else []
            self.press(" ".join([f"Alt+{place}", *empty, *digits]))
        self.wait(lambda: page.desk.attention is not None and page.desk.attention.ready, 20)
        self.press("Return")
        library = self.window.session.library
        self.wait(lambda: library.clip(clip.id).status == "reviewed", 20)


@pytest.fixture
def at_the_window(qtbot, look, tmp_path, fleet_schema, monkeypatch) -> Iterator[Callable[[str], Reviewer]]:
    """Opens the window on a library of its own, with a tiny model of a family chosen."""
    monkeypatch.setattr("vvlm_desktop.ui.review.seen.LOOK_S", 0.03)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made: list[MainWindow] = []

    def open_window(family: str) -> Reviewer:
        settings = Settings(
            schema_file=str(fleet_schema),
            models_dir=str(tmp_path / "models"),
            backend="local",
            frames=2,
            autoplay="paused",
            analyse_on_add=False,
            promotion_field="time_of_day",
        )
        imported = import_folder(settings, tiny_model(family))
        settings = settings.model_copy(update={"local_model": imported.name})
        session = open_session(settings, library_dir=tmp_path / "library", reviewer="Ada")
        window = MainWindow(session, look=look, reopen=open_session)
        window.resize(1440, 900)
        window.show()
        made.append(window)
        return Reviewer(qtbot, window)

    yield open_window
    for window in made:
        window.close()
        window.deleteLater()


def learn(person: Reviewer, clips: dict[str, dict], said: dict[str, dict]):
    """Analyse, correct, make a set, train and measure, all in the window; the measurement."""
    window, session = person.window, person.window.session
    added = add_paths(session, [Path(path) for path in clips])
    known = {clip.path: clip for clip in session.library.all_clips()}
    assert len(known) == len(clips), added
    window.analyse(list(known.values()))
    person.wait(lambda: all(session.library.analyses(clip.id) for clip in known.values()), 300)
    for path, clip in known.items():
        person.settle(clip, said[path])

    page = person.page("training")
    person.wait(page.data.form.isVisible, 20)
    page.data.form.frames.setValue(2)
    page.data.form.name.clear()
    QTest.keyClicks(page.data.form.name, "fleet")
    person.click(page.data.form.make)
    person.wait(lambda: page.data.chosen_set is not None and page.data.view.isVisible(), 120)
    assert page.data.chosen_set.manifest["splits"] == WANTED

    person.press("2")
    person.wait(lambda: page.run.sets_up, 20)
    page.run.form.unfold()
    for key, text in TRAINING.items():
        put(person, page.run.form.rows[key].editor, text)
    person.click(page.run.check_first)
    person.wait(page.run.checking.isVisible, 200)
    person.click(page.run.checking.start)
    person.wait(page.run.live.isVisible, 20)
    person.wait(lambda: runs.RunFollower(runs.list_runs(session)[0].folder).poll().state == "finished", 600)

    person.press("3")
    person.wait(page.result.unmeasured.isVisible, 30)
    person.click(page.result.unmeasured.buttons[0])
    person.wait(page.result.numbers.isVisible, 300)
    (run,) = runs.list_runs(session)
    (measured,) = runs.evaluations(run)
    return run, measured


def put(person: Reviewer, editor, text: str) -> None:
    """Type a value, tick a box."""
    if hasattr(editor, "setChecked"):
        if editor.isChecked() != (text == "true"):
            editor.click()
        return
    editor.selectAll()
    QTest.keyClicks(editor, text)


@pytest.mark.parametrize("family", ["internvl", "qwen2_5_vl"])
def test_corrections_become_a_better_model_that_is_promoted_and_taken_back(at_the_window, clips, family):
    person = at_the_window(family)
    run, measured = learn(person, clips, clips)
    scores = {name: measured.metrics["scores"][name]["fields"] for name in measured.answerers}
    assert set(scores) == {"base", run.name}
    for key in VISUAL:
        assert scores["base"][key]["score"] <= 0.6, "the base cannot tell"
        assert scores[run.name][key]["score"] >= 0.9, key
    page = person.page("training")
    person.click(page.result.panel.promote)
    session = person.window.session
    person.wait(lambda: person.window.session.settings.local_adapter == run.name, 30)
    (promoted,) = promotion.promotions(person.window.session)
    assert (promoted.kind, promoted.adapter, promoted.reviewer) == ("promoted", run.name, "Ada")

    person.wait(page.result.panel.rollback.isVisible, 30)
    person.click(page.result.panel.rollback)
    person.click(person.window.sheet.yes)
    person.wait(lambda: person.window.session.settings.local_adapter == "", 30)
    assert promotion.promotions(person.window.session)[0].kind == "rolled_back"
    report = {key: (scores["base"][key]["score"], scores[run.name][key]["score"]) for key in FIELDS}
    print(f"{family}: base and adapter on {measured.metrics['scores']['base']['clips']} unseen clips: {report}")
    assert session is not None


def test_shuffled_labels_are_not_promoted(at_the_window, clips):
    # Only what trains is wrong; what is measured on stays true.
    trained = [path for path, each in clips.items() if each["split"] == "train"]
    dealt = random.Random(7).sample(trained, len(trained))
    wrong = clips | {path: clips[other] for path, other in zip(trained, dealt, strict=True)}
    person = at_the_window("internvl")
    _run, measured = learn(person, clips, wrong)
    page = person.page("training")
    judged = page.result.facts.judgement
    print(judged.sentence)
    assert not judged.allowed
    assert not page.result.panel.promote.isEnabled()
    with pytest.raises(promotion.PromotionRefusedError):
        promotion.promote(person.window.session, measured)
    assert person.window.session.settings.local_adapter == ""
    assert promotion.promotions(person.window.session) == []
