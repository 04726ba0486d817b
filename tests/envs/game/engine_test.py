"""Tests for the game engine as a whole."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants, shapes
from adaland.envs.game import avatar, clocks, engine, hands
from adaland.envs.tasks.arrays import to_arrays
from adaland.envs.tasks.literals import Literal, Player, Rule
from adaland.envs.tasks.task import PlayerSpec
from tests.envs import fixtures

_WORLDS, _SLOTS = 21, 3
_NEAR = Rule(
  Literal("near", fixtures.CUBE, fixtures.SPHERE), (fixtures.PYRAMID,)
)
_GOAL = Literal("near", fixtures.PLAYER, fixtures.PYRAMID)
_TASK = fixtures.make_task([], _GOAL, [_NEAR])


def _hand(held, distance=0.0, down=0.0) -> hands.Hand:
  """Returns hands that hold slots at a distance, and below the view's axis.

  Args:
    held: Slots, -1 for none, [N, P].
    distance: Metres, [] or [N, P].
    down: Metres, [] or [N, P].
  """
  held = np.asarray(held, np.int32)
  down = np.broadcast_to(np.asarray(down, np.float32), held.shape)
  return hands.Hand(
    held=held,
    distance=np.broadcast_to(np.asarray(distance, np.float32), held.shape),
    offset=np.stack([0 * down, 0 * down, -down], -1),
    ready=np.ones(held.shape, bool),
  )


def _advance(
  near,
  hand=None,
  feet=(-2, -2, -2),
  pyramid=0,
  pitch=0,
  level=0,
  reachable=None,
  task=_TASK,
):
  """Advances worlds in which a cube and a sphere are near each other or not.

  Args:
    near: Whether they are, bool [N].
    hand: The hands; empty by default.
    feet: The players' feet, [3], [N, 3] or [P, 3].
    pyramid: Whether there is a pyramid next to the cube, bool [] or [N].
    pitch: Pitch of the views, [] or [N].
    level: Level of the ground, [] or [N].
    reachable: Tiles that players can reach, [N, MAX_TILES, MAX_TILES]; all by
      default.
    task: The task.
  """
  num_envs, num_players = len(near), len(task.players)
  arrays = to_arrays(task)
  tiles = (num_envs, constants.MAX_TILES, constants.MAX_TILES)
  nodes = _SLOTS + num_players
  types = [fixtures.CUBE.type_id, fixtures.SPHERE.type_id, 0]
  types = np.tile(np.asarray(types, np.int32), (num_envs, 1))
  types[:, 2] = np.where(pyramid, fixtures.PYRAMID.type_id, 0)
  pos = np.zeros((num_envs, _SLOTS, 3), np.float32)
  pos[:, 1, 0] = np.where(near, 0.6, 2.0)
  pos[:, 2, 0] = -0.3
  pos[:, :, 1] = 1.0 + 0.01 * np.arange(num_envs)[:, None]
  pos[:, :, 2] = 0.3
  arguments = (
    engine.GameBatch(
      goal=np.tile(arrays.goal[None, :num_players], (num_envs, 1, 1)),
      rules=np.tile(arrays.rules[None, :2], (num_envs, 1, 1)),
      heights=np.zeros(tiles, np.int32) + np.reshape(level, (-1, 1, 1)),
      ramps=np.zeros(tiles, np.int32),
      tiles=np.full((num_envs, 2), 6, np.int32),
      reachable=np.ones(tiles, np.int32) if reachable is None else reachable,
    ),
    types,
    hand or _hand(np.full((num_envs, num_players), -1)),
    np.zeros((num_envs, num_players), np.float32) + np.reshape(pitch, (-1, 1)),
    clocks.Clock(*(np.full(num_envs, x, np.int32) for x in (0, 0, 2, 30))),
    avatar.Poses(
      object_pos=pos,
      player_pos=np.broadcast_to(
        np.reshape(np.asarray(feet, np.float32), (-1, num_players, 3)),
        (num_envs, num_players, 3),
      ),
      player_yaw=np.zeros((num_envs, num_players), np.float32),
      touching=np.zeros((num_envs, nodes, nodes), bool),
    ),
    np.zeros((num_envs, nodes, nodes), bool),
  )
  # Always as many worlds, so that few programs are compiled.
  events = jax.jit(engine.advance)(*jax.tree.map(_padded, arguments))
  return jax.tree.map(lambda x: np.asarray(x)[:num_envs], events), pos


def _padded(x):
  """Returns an array with copies of its last row."""
  return np.concatenate([x, np.repeat(x[-1:], _WORLDS - len(x), axis=0)])


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
    distance = np.array([0.75, 0.75, 1.5, 0.45, 0.45])[:, None]
    down = (feet[:, 2] + constants.EYE_HEIGHT - 0.3)[:, None]
    hand = _hand([[0], [0], [0], [0], [2]], distance, down)
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

  def test_hands_follow_the_gaze_but_stay_above_the_ground(self):
    """Hands hold the cube, at 0.3 m; the last would be in the ground."""
    pitch = -np.array([0.3, 0.5, 0.7, 0.8, 1.0])
    distance = (0.3 - constants.EYE_HEIGHT) / np.sin(pitch)
    distance[4] = 2.0
    ahead = distance * np.cos(pitch)
    feet = np.stack([-ahead, 1 + 0.01 * np.arange(5), 0 * ahead], -1)
    hand = _hand(np.zeros((5, 1)), distance[:, None])
    events, _ = _advance(np.zeros(5, bool), hand, feet, pitch=pitch)
    np.testing.assert_array_equal(events.hand.held, 0)
    # The last stays 0.1 m above the ground.
    np.testing.assert_allclose(events.lag[:, 0], [0, 0, 0, 0, 0.2], atol=1e-6)

  def test_spawns_are_placed_in_their_own_world(self):
    """Rules fire in the last three worlds, the first three of a chunk."""
    level = np.where(np.arange(21) == 18, 1, 0)
    tiles = (21, constants.MAX_TILES, constants.MAX_TILES)
    reachable = np.ones(tiles, np.int32)
    reachable[19, 3, 4] = 0  # Between the cube and the sphere.
    feet = np.full((21, 3), -2.0)
    feet[20] = 0.3, 1.2, 0
    events, _ = _advance(
      np.arange(21) >= 18, feet=feet, level=level, reachable=reachable
    )
    found = events.object_pos[18:, 0]
    stands = shapes.PYRAMID.centre_height + 0.02
    np.testing.assert_allclose(
      found[0], [0.3, 1.18, constants.LEVEL_METRES + stands], atol=1e-6
    )
    # Not on the tile from (0, 1) to (1, 2) ...
    self.assertTrue(found[1, 0] < 0 or found[1, 1] < 1)
    # ... and not where the player stands.
    away = float(np.linalg.norm(found[2, :2] - feet[20, :2]))
    self.assertGreater(away, constants.AVATAR_RADIUS)

  def test_what_rules_consume_satisfies_no_goal(self):
    task = fixtures.make_task(
      [], Literal("near", fixtures.PLAYER, fixtures.CUBE), [_NEAR]
    )
    near = np.arange(5) > 2
    events, _ = _advance(near, feet=(0, 1, 0), task=task)
    np.testing.assert_allclose(events.reward[:, 0], ~near * 2 / 15)

  def test_an_object_in_an_empty_slot_is_a_change(self):
    rule = Rule(
      Literal("near", fixtures.PLAYER, fixtures.CUBE), (fixtures.PYRAMID,) * 2
    )
    task = fixtures.make_task([], _GOAL, [rule])
    events, _ = _advance(np.zeros(5, bool), feet=(0, 1, 0), task=task)
    np.testing.assert_array_equal(events.changed, [[True, False, True]] * 5)
    np.testing.assert_array_equal(events.spawned, events.changed)

  def test_two_players_have_their_own_goals_and_hands(self):
    goal = Literal("near", Player(2), fixtures.PYRAMID)
    task = dataclasses.replace(
      _TASK, players=(*_TASK.players, PlayerSpec(goal)), hiding=()
    )
    events, _ = _advance(
      np.array([True]),
      _hand([[-1, 2]], [[0, 1.7]], 0.55),
      feet=[[-0.3, 1, 0], [-2, 1, 0]],
      pyramid=1,
      task=task,
    )
    np.testing.assert_allclose(events.reward, [[2 / 15, 0]])
    # The rule consumes the cube and the sphere, not the pyramid.
    np.testing.assert_array_equal(events.changed, [[True, True, False]])
    np.testing.assert_array_equal(events.hand.held, [[-1, 2]])


if __name__ == "__main__":
  absltest.main()
