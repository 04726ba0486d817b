"""Tests for the game engine as a whole."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar, clocks, engine, hands
from adaland.envs.tasks.arrays import to_arrays
from adaland.envs.tasks.literals import Literal, Rule
from tests.envs import fixtures

_SLOTS = 3
_NEAR = Rule(
  Literal("near", fixtures.CUBE, fixtures.SPHERE), (fixtures.PYRAMID,)
)
_GOAL = Literal("near", fixtures.PLAYER, fixtures.PYRAMID)


def _advance(near, hand=None, feet=(-2, -2, -2), pyramid=0):
  """Advances worlds in which a cube and a sphere are near each other or not.

  Args:
    near: Whether they are, bool [N].
    hand: The hands; empty by default.
    feet: The players' feet, [3] or [N, 3].
    pyramid: Whether there is a pyramid next to the cube, bool [] or [N].
  """
  num_envs = len(near)
  task = fixtures.make_task([], _GOAL, [_NEAR])
  arrays = to_arrays(task)
  tiles = (num_envs, constants.MAX_TILES, constants.MAX_TILES)
  types = [fixtures.CUBE.type_id, fixtures.SPHERE.type_id, 0]
  types = np.tile(np.asarray(types, np.int32), (num_envs, 1))
  types[:, 2] = np.where(pyramid, fixtures.PYRAMID.type_id, 0)
  pos = np.zeros((num_envs, _SLOTS, 3), np.float32)
  pos[:, 1, 0] = np.where(near, 0.6, 2.0)
  pos[:, 2, 0] = -0.3
  pos[:, :, 1] = 1.0 + 0.01 * np.arange(num_envs)[:, None]
  pos[:, :, 2] = 0.3
  events = jax.jit(engine.advance)(
    engine.GameBatch(
      goal=np.tile(arrays.goal[None, :1], (num_envs, 1, 1)),
      rules=np.tile(arrays.rules[None, :2], (num_envs, 1, 1)),
      heights=np.zeros(tiles, np.int32),
      ramps=np.zeros(tiles, np.int32),
      tiles=np.full((num_envs, 2), 6, np.int32),
      reachable=np.ones(tiles, np.int32),
    ),
    types,
    hand
    or hands.Hand(
      held=np.full((num_envs, 1), -1, np.int32),
      distance=np.zeros((num_envs, 1), np.float32),
      offset=np.zeros((num_envs, 1, 3), np.float32),
      ready=np.ones((num_envs, 1), bool),
    ),
    np.zeros((num_envs, 1), np.float32),
    clocks.Clock(*(np.full(num_envs, x, np.int32) for x in (0, 0, 2, 30))),
    avatar.Poses(
      object_pos=pos,
      player_pos=np.broadcast_to(
        np.reshape(np.asarray(feet, np.float32), (-1, 1, 3)), (num_envs, 1, 3)
      ),
      player_yaw=np.zeros((num_envs, 1), np.float32),
      touching=np.zeros((num_envs, _SLOTS + 1, _SLOTS + 1), bool),
    ),
    np.zeros((num_envs, _SLOTS + 1, _SLOTS + 1), bool),
  )
  return jax.tree.map(np.asarray, events), pos


class AdvanceTest(absltest.TestCase):
  def test_firing_rules_leave_the_other_worlds_alone(self):
    # More worlds than fit in a chunk, and not consecutive.
    near = np.arange(21) % 5 != 0
    events, pos = _advance(near)
    np.testing.assert_array_equal(events.fired[:, 0], near)
    np.testing.assert_array_equal(events.fired[:, 1], False)
    before = [x.type_id for x in (fixtures.CUBE, fixtures.SPHERE)]
    spawned = [fixtures.PYRAMID.type_id, 0, 0]
    for i, fires in enumerate(near):
      expected = spawned if fires else [*before, 0]
      np.testing.assert_array_equal(events.slot_types[i], expected)
      np.testing.assert_array_equal(events.changed[i], [fires, fires, False])
    # The new object lies between the two that were consumed in its world.
    middle = (pos[:, 0, :2] + pos[:, 1, :2]) / 2
    np.testing.assert_allclose(
      events.object_pos[near, 0, :2], middle[near], atol=1e-6
    )
    np.testing.assert_array_equal(events.object_pos[~near], pos[~near])

  def test_nothing_changes_but_time_if_no_rule_fires(self):
    events, pos = _advance(np.zeros(5, bool))
    self.assertFalse(events.fired.any() or events.changed.any())
    np.testing.assert_array_equal(events.reward, 0)
    np.testing.assert_array_equal(events.object_pos, pos)
    np.testing.assert_array_equal(events.clock.step, 1)

  def test_hands_lose_what_is_consumed_far_away_or_lifts_its_player(self):
    """Hands hold the cube, the last a pyramid, 0.25 m behind it but in 2."""
    feet = np.array([[-0.5, 1 + 0.01 * i, 0] for i in range(5)], np.float32)
    feet[3, [0, 2]] = -0.2, 0.5  # In the air, above the cube.
    distance = np.array([0.75, 0.75, 1.5, 0.45, 0.45], np.float32)
    down = 0.3 - constants.EYE_HEIGHT - feet[:, 2]
    offset = np.stack([0 * down, 0 * down, down], -1)[:, None]
    hand = hands.Hand(
      held=np.array([[0], [0], [0], [0], [2]], np.int32),
      distance=distance[:, None],
      offset=offset.astype(np.float32),
      ready=np.ones((5, 1), bool),
    )
    near = np.array([True, False, False, False, True])
    pyramid = np.array([False, True, False, False, True])
    events, _ = _advance(near, hand, feet, pyramid)
    # In worlds 0 and 4 there is a pyramid in the cube's slot now.
    np.testing.assert_array_equal(events.spawned[:, 0], near)
    np.testing.assert_array_equal(events.hand.held[:, 0], [-1, 0, -1, -1, 2])
    np.testing.assert_allclose(
      events.hand.distance[:, 0], [0, 0.75, 0, 0, 0.45]
    )
    np.testing.assert_array_equal(events.hand.ready[:, 0], [1, 1, 0, 0, 1])
    np.testing.assert_allclose(
      events.lag[:, 0], [0, 0.25, 0, 0, 0.25], atol=1e-6
    )
    # A goal counts from the step after that which spawned its object.
    np.testing.assert_allclose(events.reward[:, 0], [0, 2 / 15, 0, 0, 2 / 15])


if __name__ == "__main__":
  absltest.main()
