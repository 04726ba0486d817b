"""Tests of adaland.launch.acting.coplaying, with agents that count."""

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest

from adaland.agent import acting
from adaland.curriculum import coplayers
from adaland.envs import constants, land
from adaland.launch.acting import coplaying, rollout, teaching

_NUM_ENVS = 4
_SIZES = constants.ACTION_SIZES
_OLD, _NEW = coplayers.FIRST_SNAPSHOT, coplayers.FIRST_SNAPSHOT + 1


def _act(params, state, observation, first, key):
  """Returns the agent's name as first head; memory sums its observations.

  The second head is drawn.
  """
  memory = jnp.where(first, 0.0, state.memory) + observation["seen"]
  action = jnp.zeros((len(first), len(_SIZES)), jnp.int32)
  action = action.at[:, 0].set(params["name"])
  draws = jax.random.randint(key, [len(first)], 0, _SIZES[1])
  action = action.at[:, 1].set(draws)
  output = acting.ActorOutput(action, memory, memory, memory, memory)
  return output, state._replace(memory=memory)


_FUNCTIONS = acting.ActorCore(
  lambda n: acting.ActorState(jnp.zeros(n), jnp.zeros(n), jnp.zeros(n)), _act
)


def _step(time, first=False, last=False):
  """Returns a step in which player p of environment n sees 10 n + p."""
  shape = np.arange(_NUM_ENVS)[:, None] * 10.0 + np.arange(2)
  every = np.ones(_NUM_ENVS, bool)
  return land.Step(
    {"seen": shape.astype(np.float32)},
    np.zeros((_NUM_ENVS, 2), np.float32),
    every & first,
    every & last,
    every & last,
    np.ones(_NUM_ENVS, np.float32),
  )


class CoplayerSeatsTest(absltest.TestCase):
  def make(self, pool_size=1):
    self.asked = []

    def snapshot(number):
      self.asked.append(number)
      return {"name": np.int32(number - _OLD + 1)}

    return coplaying.CoplayerSeats(
      _FUNCTIONS,
      snapshot,
      _NUM_ENVS,
      pool_size,
      _SIZES,
      seed=0,
      device=jax.local_devices()[0],
    )

  def guide(self, seats, time, **kwargs):
    none = teaching.no_guidance(2 * _NUM_ENVS)
    found = seats.guide(none, _step(time, **kwargs), time)
    return rollout.Guidance(*map(np.asarray, found))

  def test_each_seat_is_played_by_its_co_player(self):
    seats = self.make()
    # Each call acts in one environment: an eighth of four, rounded up.
    for env, coplayer in enumerate(
      (coplayers.SELF, coplayers.NOOP, _NEW, _OLD)
    ):
      seats.seat(env, coplayer)
    for time in range(3):
      found = self.guide(seats, time, first=time == 0)
    # No co-player plays player 1 or the agent's own second player.
    np.testing.assert_array_equal(
      found.given, [False, False, False, True, False, True, False, True]
    )
    np.testing.assert_array_equal(found.action[3], constants.NOOP_ACTION)
    self.assertEqual(found.action[[5, 7], 0].tolist(), [2, 1])
    # Three times what the second player saw; the others have no memory.
    np.testing.assert_array_equal(seats.state.memory, [0, 0, 3 * 21, 3 * 31])

  def test_a_new_episode_empties_the_memory(self):
    seats = self.make()
    seats.seat(1, _OLD)
    for time, first in enumerate((True, False, True)):
      self.guide(seats, time, first=first)
    self.assertEqual(float(seats.state.memory[1]), 11.0)

  def test_nobody_acts_after_the_end(self):
    seats = self.make()
    for env in range(_NUM_ENVS):
      seats.seat(env, (coplayers.RANDOM, _OLD)[env % 2])
    self.assertFalse(self.guide(seats, 5, last=True).given.any())

  def test_no_co_player_acts_by_a_teachers_policy(self):
    seats = self.make()
    seats.seat(0, coplayers.RANDOM)
    everyone = np.ones(2 * _NUM_ENVS, bool)
    taught = teaching.no_guidance(2 * _NUM_ENVS)._replace(drawn=everyone)
    found = seats.guide(taught, _step(0), 0)
    self.assertEqual(np.flatnonzero(~found.drawn).tolist(), [1])

  def test_random_actions_differ_by_time_and_are_repeatable(self):
    seats, again = self.make(), self.make()
    for env in range(_NUM_ENVS):
      seats.seat(env, coplayers.RANDOM)
      again.seat(env, coplayers.RANDOM)
    first, second = (self.guide(seats, time).action[1::2] for time in (0, 1))
    self.assertTrue((first != second).any())
    np.testing.assert_array_equal(self.guide(again, 0).action[1::2], first)
    self.assertTrue((first < np.array(_SIZES)).all())

  def test_a_snapshot_draws_separately_in_each_environment(self):
    seats = self.make()
    for env in range(_NUM_ENVS):
      seats.seat(env, _OLD)
    # Each call acts in one environment.
    drawn = [self.guide(seats, time).action[1::2, 1] for time in range(10)]
    self.assertTrue(any(len(set(step)) > 1 for step in drawn))

  def test_snapshots_that_play_stay_and_others_are_dropped(self):
    seats = self.make(pool_size=1)
    seats.seat(0, _OLD)
    seats.seat(1, _NEW)
    seats.seat(2, _OLD)  # Still here.
    self.assertEqual(self.asked, [_OLD, _NEW])
    for env in (0, 2):
      seats.seat(env, coplayers.SELF)
    seats.seat(3, _OLD)  # Was dropped when unused.
    self.assertEqual(self.asked, [_OLD, _NEW, _OLD])
    self.assertEqual(seats.playing, {_OLD, _NEW})


if __name__ == "__main__":
  absltest.main()
