"""Tests of a game's time and record, without physics; see client_test."""

import threading
import types

import numpy as np
from absl.testing import absltest

from adaland.launch import errors
from adaland.launch.studio import game
from tests.launch import fakes
from tests.launch.studio import worlds

_SECONDS = 60.0


class FakeLand(worlds.SeenLand):
  """One environment whose steps may take time."""

  on_step = staticmethod(lambda: None)

  def step(self, actions):
    FakeLand.on_step()
    return super().step(actions[:, 0])


class PairLand(FakeLand):
  """One environment of two players; player 2 gets twice the reward."""

  def step(self, actions):
    step = super().step(actions)
    return step._replace(reward=step.reward[:, None] * [1, 2])

  def state_view(self, i):
    view = super().state_view(i)
    each = ("held", "hand_distance", "player_pos", "yaw", "pitch", "visible")
    return view._replace(
      **{name: np.repeat(getattr(view, name), 2, axis=0) for name in each},
      trial_rewards=np.repeat(view.trial_rewards, 2, axis=1),
    )


class GameTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    patch = absltest.mock.patch.object
    self.enter_context(patch(game.land, "Land", FakeLand))
    self.sent = []
    self.is_over = threading.Event()
    self.on_frame = lambda made, number: None

  def make(self, **more):
    """Returns a game of two trials of 15 steps that one person plays."""
    made = game.Game(fakes.make_task(trials=2), seed=3, **more)

    def send(kind, **fields):
      self.sent.append((kind, fields))
      if kind == "frame":
        self.on_frame(made, self.kinds().count("frame") - 1)
      if kind == "over":
        self.is_over.set()

    made.join(send)
    return made

  def kinds(self):
    return [kind for kind, _ in self.sent]

  def play(self, made):
    """Lets time pass until the end; returns the last message."""
    made.go()
    self.assertTrue(self.is_over.wait(_SECONDS))
    made.stop()
    self.assertEqual(self.kinds().count("over"), 1)
    return self.sent[-1][1]

  def test_a_demonstration_has_the_trials_played_to_their_end(self):
    def stop(made, number):
      if number == 19:
        made.stop()

    self.on_frame = stop
    made = self.make(pace=0.0)
    with self.assertRaisesRegex(errors.UserError, "none was played to its end"):
      made.demonstration()
    self.assertEqual(self.play(made)["rewards"], [15.0])
    self.assertEqual(self.kinds().count("frame"), 20)
    kept = made.demonstration()
    self.assertEqual(kept.seed, 3)
    self.assertEqual(kept.actions.shape, (15, 6))
    np.testing.assert_array_equal(kept.rewards, [15.0])

  def test_pauses_are_counted_once_each(self):
    paused = threading.Event()

    def pause(made, number):
      if number in (3, 20):
        made.pause()
        paused.set()

    self.on_frame = pause
    made = self.make(pace=0.0)
    for _ in range(2):
      made.go()
      self.assertTrue(paused.wait(_SECONDS))
      paused.clear()
      made.pause()
    over = self.play(made)
    self.assertEqual((over["pauses"], over["rewards"]), (2, [15.0, 30.0]))
    self.assertEqual(self.kinds().count("paused"), 2)
    made.go()
    self.assertEqual(self.kinds()[-1], "over")

  def test_time_is_caught_up_with_unless_more_than_a_step_is_lost(self):
    clock, begun = [0.0], []
    # Seconds that steps take.
    costs = {2: 0.125, 6: 0.25}

    def step():
      begun.append(clock[0])
      clock[0] += costs.get(len(begun) - 1, 0.0)

    def sleep(seconds):
      clock[0] += seconds

    passing = types.SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep)
    patch = absltest.mock.patch.object
    self.enter_context(patch(game, "time", passing))
    self.enter_context(patch(FakeLand, "on_step", step))
    over = self.play(self.make(pace=0.1))
    self.assertEqual(over["late"], 1)
    expected = [0.1, 0.2, 0.3, 0.425, 0.5, 0.6, 0.7, 0.95, 1.05, 1.15]
    np.testing.assert_allclose(begun[:10], expected)
    self.assertLen(begun, 30)

  def test_each_player_is_told_the_own_rewards_once_both_have_played(self):
    self.enter_context(absltest.mock.patch.object(game.land, "Land", PairLand))
    [player] = fakes.make_task().players
    made = game.Game(fakes.make_task(players=(player, player)), 3, pace=0.0)
    kinds: list[list[str]] = [[], []]
    rewards = {}

    def join(player):
      def send(kind, **fields):
        kinds[player].append(kind)
        if kind == "over":
          rewards[player] = fields["rewards"]
          if len(rewards) == 2:
            self.is_over.set()

      made.join(send)

    join(0)
    made.go()  # The other player is not there yet.
    join(1)
    self.assertEqual(kinds, [["world", "frame", "ready"]] * 2)
    made.go()
    self.assertTrue(self.is_over.wait(_SECONDS))
    made.stop()
    self.assertEqual(rewards, {0: [15.0, 30.0], 1: [30.0, 60.0]})

  def test_a_game_of_one_has_one_seat(self):
    made = self.make(pace=0.0)
    with self.assertRaisesRegex(errors.UserError, "has no free player"):
      made.join(print)
    self.play(made)


if __name__ == "__main__":
  absltest.main()
