"""What the built-in measurements say against what is true: a table clip × field × said × truth.

    python -m tests.bench.signals_truth [--clips ../shared/clips] [--work FOLDER] [--more N] [--json FILE]

Truth comes from the manifest of the real clips (where they are at hand) and from the road simulator: the samples and N
other scenarios that no threshold was ever looked at with. Unanswered is neither right nor wrong and is counted apart.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from vvlm_desktop import paths
from vvlm_desktop.backends.signals import SignalsBackend
from vvlm_desktop.domain.schema_parse import parse_schema
from vvlm_desktop.protocol import AnalyseRequest
from vvlm_desktop.samples import Scenario, make_samples, read_truth, simulate

FIELDS = ("time_of_day", "light_conditions", "visibility", "intended_driving_action", "camera_problem")

#: From the manifest's words. It calls d01 and d02 "bright"; the schema's `bright` means washed out.
REAL = {
    "driving/d01_solidWhiteRight.mp4": {
        "time_of_day": "day",
        "light_conditions": "bright",
        "intended_driving_action": ["go_straight"],
    },
    "driving/d02_test_small1.mp4": {
        "time_of_day": "day",
        "light_conditions": "bright",
        "intended_driving_action": ["go_straight"],
    },
    "driving/d03_custom_me_night_1.mp4": {
        "time_of_day": "night",
        "light_conditions": "dark",
        "intended_driving_action": ["go_straight"],
    },
}

OTHERS = (
    Scenario("calm", scene="rural", duration_s=5),
    Scenario("calm", scene="urban", light="dusk", duration_s=5),
    Scenario("calm", scene="suburban", weather="fog", duration_s=5),
    Scenario("calm", scene="highway", light="night", duration_s=5),
    Scenario("calm", scene="rural", weather="rain", lens="wet", duration_s=5),
    Scenario("calm", scene="suburban", lens="unfocused", duration_s=5),
    Scenario("calm", scene="urban", lens="obscured", duration_s=5),
    Scenario("calm", scene="suburban", weather="snow", duration_s=5),
    Scenario("calm", scene="highway", density="high", duration_s=6),
    Scenario("crossing", scene="suburban", duration_s=7),
    Scenario("hard_brake_red_light", scene="suburban", weather="rain", duration_s=8),
    Scenario("rear_end", scene="rural", light="dusk", duration_s=8),
    Scenario("following_close", scene="highway", weather="cloudy", duration_s=5),
    Scenario("parked", duration_s=5),
    Scenario("parked", light="night", duration_s=5),
    Scenario("cut_in", light="night", weather="rain", duration_s=7),
    Scenario("hard_brake_red_light", light="night", duration_s=8),
    Scenario("calm", scene="rural", lens="dirty", weather="cloudy", duration_s=5),
)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, default=Path(__file__).parents[3] / "shared" / "clips")
    parser.add_argument("--work", type=Path, help="keeps the simulated clips for the next time")
    parser.add_argument("--more", type=int, default=len(OTHERS), help="how many other scenarios")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        rows = []
        for clip in _clips(options, work):
            for row in _rows(*clip):
                name, field, said, truth, verdict, confidence = row
                shown = f"{_text(said)} ({confidence:.2f})" if confidence is not None else _text(said)
                print(f"{name:36}  {field:24} {shown:34} {_text(truth):28} {verdict}", flush=True)
                rows.append(row)
    print()
    for field in (*FIELDS, None):
        counted = Counter(row[4] for row in rows if field in (None, row[1]))
        print(f"{field or 'all':24} right {counted['ok']:3}  wrong {counted['WRONG']:3}  unanswered {counted['-']:3}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return 0


def _clips(options, work):
    for name, truth in REAL.items():
        if (options.clips / name).is_file():
            yield Path(name).stem[:28], options.clips / name, truth, None
    for sample in make_samples(work / "samples"):
        yield f"sample {sample.slug}", sample.path, sample.truth.labels, sample.truth.event
    for number, scenario in enumerate(OTHERS[: options.more]):
        path = work / f"other {number:02} {options.seed}.mp4"
        name = f"{scenario.kind} {scenario.light} {scenario.weather} {scenario.lens}"
        if not path.with_suffix(".truth.json").exists():
            simulate(scenario, path, seed=options.seed + number, size=(960, 540), fps=25)
        truth = read_truth(path)
        yield name, path, truth.labels, truth.event


def _rows(name, path, truth, event):
    document = paths.bundled_schema("dashcam").read_text(encoding="utf-8")
    answer = SignalsBackend().analyse(
        AnalyseRequest("1", "signals", "c", str(path), 0, document),
        schema=parse_schema(document, source="dashcam"),
        progress=lambda _done, _stage: None,
        cancelled=lambda: False,
    )
    for field in FIELDS:
        if field not in truth:
            continue
        said = answer.labels.get(field, "unanswered")
        verdict = "-" if said == "unanswered" else "ok" if said == truth[field] else "WRONG"
        yield name, field, said, truth[field], verdict, answer.confidence.get(field)
    moments = ", ".join(f"{c.kind} {c.start_ms / 1000:.1f}–{c.end_ms / 1000:.1f} s" for c in answer.candidates)
    happened = f"{event.kind} {event.start_ms / 1000:.1f}–{event.end_ms / 1000:.1f} s" if event else "none"
    yield name, "(moments)", moments or "none", happened, f"attention {answer.attention:.2f}", None


def _text(value):
    return ", ".join(value) or "none seen" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    sys.exit(main())
