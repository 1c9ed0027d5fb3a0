"""What happens in the simulated world, before any picture is drawn."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.unit.samples.conftest import happen
from vvlm_desktop.samples.scenario import KINDS, Scenario
from vvlm_desktop.samples.staging import stage
from vvlm_desktop.samples.world import Move, Vehicle, World

SEEDS = (1, 2, 3, 4)


@pytest.mark.parametrize("seed", SEEDS)
def test_cut_in_comes_close_without_touching(seed):
    now = happen(Scenario("cut_in"), seed)
    assert now.event is not None
    assert now.event.kind == "near_miss"
    assert not now.event.contact
    assert 0.5 < now.event.min_gap_m < 3.0
    assert now.event.min_ttc_s < 2.0
    assert -min(f.acceleration for f in now.frames) > 0.5 * 9.81


@pytest.mark.parametrize("seed", SEEDS)
def test_rear_end_closes_the_gap_to_contact_and_both_stop(seed):
    now = happen(Scenario("rear_end"), seed)
    assert now.event is not None
    assert now.event.contact
    assert 10 < now.event.contact_speed_kmh < 30
    window = [f for f in now.frames if now.event.start_pts <= f.pts <= now.event.end_pts]
    gaps = [f.gap_m for f in window]
    assert all(later <= earlier for earlier, later in pairwise(gaps))
    assert gaps[-1] < 0.5 < 10 < gaps[0]
    assert now.frames[-1].speed_kmh == 0
    before = now.frames[now.frames.index(window[-1]) - 1]
    assert before.speed_kmh - window[-1].speed_kmh > 5, "contact is a jolt"


@pytest.mark.parametrize("seed", SEEDS)
def test_rear_end_ego_brakes_later_than_one_and_a_half_seconds(seed):
    now = happen(Scenario("rear_end"), seed)
    first = next(f.time_s for f in now.frames if f.acceleration < -1.0)
    assert first - now.event.start_ms / 1000 > 1.5


@pytest.mark.parametrize("seed", SEEDS)
def test_red_light_is_hard_braking_to_a_stand_before_the_line(seed):
    now = happen(Scenario("hard_brake_red_light"), seed)
    assert now.event is None
    assert now.labels["event_type"] == "no_incident"
    assert -min(f.acceleration for f in now.frames) > 5.0
    assert now.frames[-1].speed_kmh == 0
    ego = now.stage.world.ego
    assert 0.5 < now.stage.world.stop_line_s - (ego.s + ego.shape.length / 2) < 4.0
    assert now.frames[-1].light == "red"
    assert now.frames[0].light == "green"


@pytest.mark.parametrize("seed", SEEDS)
def test_following_close_keeps_under_one_second_above_55(seed):
    now = happen(Scenario("following_close"), seed)
    assert max(f.time_gap_s for f in now.frames) < 1.0
    assert min(f.speed_kmh for f in now.frames) > 55
    assert now.labels["presence_of_rule_violations"] == ["following_too_close"]


@pytest.mark.parametrize("seed", SEEDS)
def test_lane_change_ends_in_the_next_lane_without_an_event(seed):
    now = happen(Scenario("lane_change"), seed)
    assert now.event is None
    assert now.frames[-1].lateral_m == pytest.approx(now.stage.road.lanes[1], abs=0.05)
    assert now.labels["intended_driving_action"] == ["change_lanes"]


@pytest.mark.parametrize("seed", SEEDS)
def test_crossing_car_is_a_near_miss_from_the_side(seed):
    now = happen(Scenario("crossing"), seed)
    assert now.event is not None
    assert now.event.kind == "near_miss"
    assert now.labels["conflict_type"] == "angle"


def test_parked_does_not_move():
    now = happen(Scenario("parked"), 1)
    assert {f.speed_kmh for f in now.frames} == {0.0}
    assert now.labels["intended_driving_action"] == ["parked"]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_overlaps_but_in_the_collision(kind):
    now = happen(Scenario(kind), 5)
    touched = now.stage.world.hit_id
    assert touched == (now.stage.conflict_id if kind == "rear_end" else None)


@pytest.mark.parametrize(("density", "vehicles"), [("low", 0), ("high", 6)])
def test_density_decides_how_many_drive_near_ego(density, vehicles):
    now = happen(Scenario("calm", scene="highway", density=density, duration_s=2.0), 1)
    ego = now.snapshots[0].ego
    near = [o for o in now.snapshots[0].others if abs(o.s - ego.s) < 40 and o.d > -5]
    assert (len(near) >= vehicles) if vehicles else len(near) <= 2


def test_other_seed_is_another_world_and_same_seed_the_same():
    scenario = Scenario("calm", density="medium")
    one, same, other = (stage(scenario, seed=seed).world for seed in (1, 1, 2))
    assert [(v.s, v.v, v.paint) for v in one.others] == [(v.s, v.v, v.paint) for v in same.others]
    assert [(v.s, v.v) for v in one.others] != [(v.s, v.v) for v in other.others]


def test_impact_keeps_momentum():
    ego = Vehicle(0, "sedan", 0.0, 0.0, 10.0, follows=False)
    lead = Vehicle(1, "suv", 4.9, 0.0, 0.0, follows=False)
    world = World(ego, [lead])
    before = ego.shape.mass * ego.v
    while world.hit_at_s is None:
        world.step()
    assert ego.shape.mass * ego.v + lead.shape.mass * lead.v == pytest.approx(before, rel=0.01)
    assert lead.v > ego.v


def test_braking_to_zero_stays_at_a_stand():
    car = Vehicle(0, "sedan", 0.0, 0.0, 10.0, cruise=10.0, moves=[Move(0.0, "brake", 7.0)])
    world = World(car, [])
    for _ in range(400):
        world.step()
    assert car.v == 0.0


@pytest.mark.parametrize(
    ("kind", "more"),
    [("cut_in", {"scene": "rural"}), ("rear_end", {"density": "high"}), ("calm", {"duration_s": 0.0})],
)
def test_impossible_scenarios_are_refused(kind, more):
    with pytest.raises(ValueError, match=r"cannot happen|duration_s"):
        Scenario(kind, **more)
