"""Tests of adaland.launch.soaking.transitions, on given states."""

import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import land
from adaland.launch.soaking import transitions
from tests.launch.soaking import states


class FakeLand:
  """A stand-in for `Land` that goes through given states.

  Args:
    scenes: The states: `room` with changes, by field.
    steps: What `step` returns, by field.
    dropped: Number of spawns that found no slot, after each step.
  """

  num_envs = 1
  config = types.SimpleNamespace(num_players=1, num_slots=3)
  tasks = (None,)

  def __init__(self, scenes, steps, dropped):
    self._scenes, self._steps = iter(scenes), iter(steps)
    self._dropped = iter(dropped)
    self.dropped_spawns = np.zeros(1, int)
    touching = np.zeros((1, 4, 4), bool)
    self.stepper = types.SimpleNamespace(
      physics_state=lambda: types.SimpleNamespace(touching=touching)
    )

  def reset(self):
    self._view = next(self._scenes)

  def step(self, actions):
    del actions
    self._view = next(self._scenes)
    self.dropped_spawns = np.array([next(self._dropped)])
    no = np.zeros(1, bool)
    step = land.Step({}, np.zeros(1, np.float32), no, no, no, np.ones(1))
    return step._replace(**next(self._steps))

  def batch_view(self):
    return self._view


def _at(x, **more):
  """Returns the room with the second cube somewhere."""
  view = states.room()
  view.object_pos[0, 1, 0] = x
  return view._replace(**more)


def _recorder(*args) -> transitions.Recorder:
  made: Any = FakeLand(*args)
  return transitions.Recorder(made)


class RecorderTest(absltest.TestCase):
  def record(self, scenes, steps, dropped=(0, 0, 0, 0, 0)):
    recorder = _recorder(scenes, steps, dropped)
    return [recorder.step(np.zeros((1, 1, 6)))[0] for _ in steps]

  def test_rewards_are_summed_within_a_trial(self):
    yes = np.ones(1, bool)
    begin, later = np.zeros(1, int), np.ones(1, int)
    scenes = [_at(2, step=x) for x in (begin, later, begin, later, later)]
    rewards = [np.array([x], np.float32) for x in (0.125, 0.25, 0.5, 1)]
    steps = [{"reward": x} for x in rewards]
    steps[1]["trial_last"] = yes
    found = self.record(scenes, steps)
    self.assertEqual(
      [t.trial_reward.item() for t in found], [0.125, 0.375, 0.5, 1.5]
    )
    self.assertEqual([t.restarted.item() for t in found], [0, 1, 0, 0])
    self.assertEqual([t.steady.item() for t in found], [1, 0, 1, 1])

  def test_an_episode_s_last_step_restarts_no_trial(self):
    yes = np.ones(1, bool)
    [t] = self.record([_at(2), _at(2)], [{"trial_last": yes, "last": yes}])
    self.assertFalse(t.restarted.item())

  def test_objects_that_do_not_move_are_counted_still(self):
    turned = np.tile(np.array([0, 0, 0, 1], np.float32), (1, 3, 1))
    other = np.array([[states.CUBE, states.SPHERE, 0]])
    scenes = [_at(2), _at(2), _at(2.00005), _at(2.1), _at(2.1)]
    scenes += [_at(2.1, object_quat=turned)]
    scenes += [_at(2.1, object_quat=turned, slot_types=other)]
    found = self.record(scenes, [{}] * 6, [0] * 6)
    self.assertEqual(
      [t.still[0, :2].tolist() for t in found],
      [[1, 1], [2, 2], [3, 0], [4, 1], [0, 0], [1, 0]],
    )

  def test_nothing_is_still_across_a_restart(self):
    yes = np.ones(1, bool)
    for step in ({"first": yes}, {"trial_last": yes}):
      found = self.record([_at(2)] * 3, [{}, step])
      self.assertEqual([t.still[0, 0] for t in found], [1, 0])

  def test_the_way_is_the_longer_of_the_last_two_steps(self):
    scenes = [_at(x) for x in (0, 3, 3.5, 3.5)]
    found = self.record(scenes, [{}] * 3)
    np.testing.assert_allclose([t.way[0, 1] for t in found], [3, 3, 0.5])

  def test_lost_spawns_are_those_of_the_step(self):
    yes = np.ones(1, bool)
    found = self.record(
      [_at(2)] * 5, [{}, {}, {"first": yes}, {}], dropped=(2, 3, 1, 2)
    )
    self.assertEqual([t.dropped.item() for t in found], [2, 1, 0, 1])

  def test_the_start_is_kept_until_the_next_episode(self):
    yes = np.ones(1, bool)
    scenes = [_at(x) for x in (0, 1, 2, 3)]
    recorder = _recorder(scenes, [{}, {"first": yes}, {}], [0] * 3)
    starts = [recorder.start().start.object_pos[0, 1, 0].item()]
    self.assertTrue(recorder.start().first.all())
    for _ in range(3):
      t, _ = recorder.step(np.zeros((1, 1, 6)))
      starts.append(t.start.object_pos[0, 1, 0].item())
    self.assertEqual(starts, [0, 0, 2, 2])
    self.assertEqual(t.before.object_pos[0, 1, 0], 2)
    self.assertEqual(t.after.object_pos[0, 1, 0], 3)


class SurfaceTest(absltest.TestCase):
  def test_heights_of_levels_and_ramps(self):
    view = states.room()
    view.heights[0, 4, 4] = 1
    view.heights[0, 7, 0] = 3
    view.ramps[0, 4, 5] = 2  # Climbs along +y.
    points = [(0.5, 0.5), (0.5, 1.25), (0.5, -0.5), (9, -9), (-0.5, 0.5)]
    found = transitions.surface(view, np.array([points]))
    # A level is half a metre; outside, the nearest tile counts.
    np.testing.assert_allclose(found, [[0.5, 0.125, 0, 1.5, 0]])


if __name__ == "__main__":
  absltest.main()
