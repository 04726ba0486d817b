"""Tests of lanes without physics; watching_test has agents and worlds."""

import types
from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.launch import errors
from adaland.launch.evaluation import demo
from adaland.launch.studio import lanes
from tests.launch import fakes
from tests.launch.studio import worlds


class FakeLane:
  """A lane whose frames are numbers, and which may stop."""

  def __init__(self, stops_at=None):
    self.error, self.note, self.rewards = "", "a note", [0.0]
    self.ends = []
    self._count = 0
    self._stops_at = stops_at

  def step(self):
    self._count += 1
    if self._count == self._stops_at:
      raise errors.UserError("no\nroom")
    self.rewards[-1] += 0.12345

  def frame(self):
    return {"n": self._count}

  def end_trial(self, is_last):
    self.ends.append((self._count, is_last))


class PlayTest(absltest.TestCase):
  def play(self, *playing, seconds=1e9, is_stopped=lambda: False):
    """Plays two trials of 15 steps; returns what is emitted."""
    task, sent = fakes.make_task(trials=2, seconds=2.0), []
    with absltest.mock.patch.object(lanes, "_CHUNK_SECONDS", seconds):
      lanes.play(playing, task, lambda **more: sent.append(more), is_stopped)
    return sent

  def test_all_frames_are_sent_and_trials_end(self):
    lane = FakeLane()
    [sent] = self.play(lane)
    self.assertEqual((sent["first"], sent["total"]), (0, 31))
    self.assertEqual(sent["frames"], [[{"n": n} for n in range(31)]])
    self.assertEqual(sent["rewards"], [[round(30 * 0.12345, 3)]])
    self.assertEqual((sent["errors"], sent["notes"]), ([""], ["a note"]))
    self.assertEqual(lane.ends, [(15, False), (30, True)])

  def test_frames_are_sent_in_chunks_each_once(self):
    sent = self.play(FakeLane(), seconds=-1.0)
    self.assertEqual([more["first"] for more in sent], [*range(31)])
    self.assertEqual(
      [more["frames"] for more in sent], [[[{"n": n}]] for n in range(31)]
    )

  def test_a_lane_that_stops_does_so_alone(self):
    stopping, other = FakeLane(stops_at=4), FakeLane()
    [sent] = self.play(stopping, other)
    self.assertEqual([len(row) for row in sent["frames"]], [4, 31])
    self.assertEqual(sent["errors"], ["no room", ""])
    self.assertEmpty(stopping.ends)

  def test_when_nobody_watches_nothing_is_sent(self):
    lane = FakeLane()
    self.assertEmpty(self.play(lane, is_stopped=lambda: lane.frame()["n"] == 9))
    self.assertEqual(lane.frame(), {"n": 9})


class LaneTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.lands = []

    def make(*args):
      self.lands.append(worlds.SeenLand(*args))
      return self.lands[-1]

    self.enter_context(
      absltest.mock.patch.object(lanes.land, "Land", side_effect=make)
    )

  def lane(self, name, recorded=None):
    known: Any = types.SimpleNamespace(agents={}, agent_of=lambda sha: "")
    return lanes.Lane(name, fakes.make_task(), 3, known, recorded)

  def recorded(self, *rewards, **more):
    """Returns a demonstration of a trial and some steps of the next."""
    kept = demo.Demo(
      fakes.make_task(),
      3,
      np.full((20, 6), 2, np.int32),
      np.array(rewards, np.float32),
    )
    return lanes.Recorded(kept, **more)

  def test_a_demonstration_is_repeated_and_then_nothing_is_done(self):
    lane = self.lane("demo", self.recorded(15.0, episode=4))
    self.assertEqual(self.lands[0].episodes[0], 4 + 1)
    shown = []
    for step in range(31):
      if step:
        lane.step()
      shown.append(lane.frame())
      if step in (15, 30):
        lane.end_trial(step == 30)
    actions = np.concatenate(self.lands[0].actions)
    np.testing.assert_array_equal(actions[:20], 2)
    noop = np.tile(constants.NOOP_ACTION, (10, 1))
    np.testing.assert_array_equal(actions[20:], noop)
    # Each step of the second trial pays two seconds.
    self.assertEqual(lane.rewards, [15.0, 30.0])
    self.assertEqual([f["r"] for f in shown], [0] + [1] * 15 + [2] * 15)
    self.assertEqual((lane.note, lane.error), ("", ""))

  def test_a_trial_with_another_reward_is_noted(self):
    for reward, note in (
      (15.0005, ""),
      (15.002, "trial 1 gave 15.00 s, and 15.00 s when it was recorded"),
      (9.0, "trial 1 gave 15.00 s, and 9.00 s when it was recorded"),
    ):
      lane = self.lane("demo", self.recorded(reward))
      for _ in range(15):
        lane.frame()
        lane.step()
      lane.end_trial(is_last=False)
      self.assertStartsWith(lane.note, note)
      self.assertEqual(bool(lane.note), bool(note))

  def test_a_trial_that_was_recorded_in_part_is_not_compared(self):
    lane = self.lane("demo", self.recorded(15.0, 10.0))
    for trial in range(2):
      for _ in range(15):
        lane.frame()
        lane.step()
      lane.end_trial(is_last=trial == 1)
    self.assertEqual((lane.rewards, lane.note), ([15.0, 30.0], ""))

  def test_the_mind_of_an_unknown_agent_is_not_shown(self):
    lane = self.lane("demo", self.recorded(15.0, agent="abc"))
    self.assertIn("is not here", lane.note)
    self.assertIsNone(lane.mind)

  def test_thoughts_are_shown_in_percent_where_there_are_any(self):
    lane = self.lane("noop")
    thought = types.SimpleNamespace(
      value=1.234, belief=np.array([0.25, 0.75]), gaze=None, past=[]
    )
    lane.mind = mind = absltest.mock.Mock(thought=thought)
    shown = lane.frame()
    self.assertEqual((shown["value"], shown["belief"]), (1.23, [25, 75]))
    self.assertNoCommonElements(shown, ("gaze", "past"))
    mind.thought = types.SimpleNamespace(
      value=None,
      belief=None,
      gaze=np.array([[0.5, 0.5]]),
      # Less than half a percent is left out.
      past=[np.array([0.3, 0.004, 0.696])],
    )
    shown = lane.frame()
    self.assertEqual(shown["gaze"], [[50, 50]])
    self.assertEqual(shown["past"], [[[0, 30], [2, 70]]])
    self.assertNoCommonElements(shown, ("value", "belief"))

  def test_what_can_t_play_is_an_error_of_its_lane(self):
    for name, error in (
      ("demo", "no demonstration is given"),
      ("nobody", "player: 'nobody' is not one of demo, "),
      ("prompted agent:x", "player: 'prompted agent:x' is not one of demo, "),
    ):
      self.assertIn(error, self.lane(name).error)
    self.assertEqual(self.lane("noop").error, "")


if __name__ == "__main__":
  absltest.main()
