"""Tests of adaland.envs.observations.observations."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.game import avatar, clocks, engine, hands
from adaland.envs.observations import observations

# A compiled program each; their many operations would be compiled one by one.
_entities = jax.jit(observations.entities)
_terrain_grid = jax.jit(observations.terrain_grid)

_CUBE = 4  # Black.


def _scene(slot_types, object_pos, player_pos, yaw, held=None, **fields):
  players, slots = len(player_pos), len(slot_types)
  state = observations.SceneState(
    slot_types=np.asarray([slot_types], np.int32),
    poses=avatar.Poses(
      np.asarray([object_pos], np.float32),
      np.asarray([player_pos], np.float32),
      np.asarray([yaw], np.float32),
      np.zeros([1, players + slots, players + slots], bool),
    ),
    hand=hands.Hand(
      held=np.asarray([held or [-1] * players], np.int32),
      distance=np.full([1, players], 1, np.float32),
      offset=np.zeros([1, players, 3], np.float32),
      ready=np.ones([1, players], bool),
    ),
    lag=np.full([1, players], 0.3, np.float32),
    pitch=np.full([1, players], -0.5, np.float32),
    clock=clocks.Clock(*(np.array([x], np.int32) for x in (0, 0, 2, 30))),
    last_action=np.full([1, players, 6], -1, np.int32),
    last_reward=np.zeros([1, players], np.float32),
  )
  return state._replace(**fields)


def _game(heights, tiles):
  heights = np.asarray(heights[None], np.int32)
  return engine.GameBatch(
    goal=np.zeros([1, 1, 6], np.int32),
    rules=np.zeros([1, 1, 14], np.int32),
    heights=heights,
    ramps=np.zeros_like(heights),
    tiles=np.array([tiles], np.int32),
    reachable=np.ones_like(heights),
  )


class EntitiesTest(absltest.TestCase):
  def test_rows(self):
    # The player looks along +y; the cube is 2 m ahead and 1 m to the left.
    scene = _scene(
      [_CUBE, _CUBE], [[0, 3, 0.85], [5, 5, 0]], [[1, 1, 0]], [np.pi / 2], [0]
    )
    visible = np.asarray([[[False, True, False]]])
    rows = _entities(scene, visible)
    self.assertEqual(rows.shape, (1, 1, 2, observations.ENTITY_WIDTH))
    np.testing.assert_allclose(
      rows[0, 0, 0],
      [1, 0.2, 0.1, 0, np.sqrt(5) / 10, 1, 0, 1, 0, 0, 0, 1, 0, 0],
      atol=1e-6,
    )
    np.testing.assert_array_equal(rows[0, 0, 1], 0)

  def test_the_other_player_comes_last(self):
    # Player 2 holds the cube.
    scene = _scene(
      [_CUBE], [[0, 3, 0]], [[0, 0, 0], [2, 0, 0]], [0, np.pi], [-1, 0]
    )
    rows = _entities(scene, np.ones([1, 2, 3], bool))
    np.testing.assert_array_equal(rows[0, :, :, 5], [[0, 0], [1, 0]])
    self.assertEqual(rows.shape, (1, 2, 2, observations.ENTITY_WIDTH))
    down = (constants.AVATAR_HEIGHT / 2 - constants.EYE_HEIGHT) / 10
    # Each sees the other 2 m ahead: player 1 sees player 2 and vice versa.
    for me, colour in ((0, [0, 1, 0]), (1, [1, 0, 0])):
      np.testing.assert_allclose(rows[0, me, 1, 1:4], [0.2, 0, down], atol=1e-6)
      np.testing.assert_array_equal(
        rows[0, me, 1, 6:], [0, 0, 0, 0, 1, *colour]
      )


class TerrainGridTest(absltest.TestCase):
  def test_turns_with_the_heading(self):
    heights = np.zeros([constants.MAX_TILES, constants.MAX_TILES])
    heights[2, 4] = 3  # The tile with x in [-0.5, 0.5], y in [1.5, 2.5].
    heights[1, 2] = 3  # That with x in [-1.5, -0.5], y in [-0.5, 0.5].
    game = _game(heights, [5, 5])
    scene = _scene([0], [[0, 0, 0]], [[0, 0, 0]], [np.pi / 2])
    grid = np.asarray(_terrain_grid(scene, game))
    grid = grid.reshape(5, 5)  # [ahead -1 .. 3, left 2 .. -2]
    expected = np.zeros([5, 5])
    expected[3, 2] = 1  # Two ahead; the highest level is one unit.
    expected[1, 1] = 1  # One to the left.
    expected[4] = 1  # Three ahead is outside.
    np.testing.assert_allclose(grid, expected, atol=1e-6)

  def test_moves_with_the_feet(self):
    """A room of 5 x 7 m, seen from (-1, 2) along +x."""
    heights = np.zeros([constants.MAX_TILES, constants.MAX_TILES])
    heights[4, 3] = 3  # The tile with x in [1.5, 2.5], y in [-0.5, 0.5].
    scene = _scene([0], [[0, 0, 0]], [[-1, 2, 0]], [0])
    grid = _terrain_grid(scene, _game(heights, [5, 7]))
    expected = np.zeros([5, 5])
    expected[4, 4] = 1  # Three ahead, two to the right.
    expected[:, 0] = 1  # Two to the left is outside.
    np.testing.assert_allclose(np.reshape(grid, (5, 5)), expected, atol=1e-6)

  def test_is_relative_to_the_feet(self):
    flat = np.zeros([constants.MAX_TILES, constants.MAX_TILES])
    scene = _scene([0], [[0, 0, 0]], [[0, 0, 0.75]], [0.3])
    np.testing.assert_allclose(
      _terrain_grid(scene, _game(flat, [9, 9]))[0, 0],
      -0.5,
      atol=1e-6,
    )


class ProprioTest(absltest.TestCase):
  def test_in_units_of_the_limits(self):
    scene = _scene([_CUBE], [[0, 3, 0]], [[0, 0, 0]], [0], [0])
    np.testing.assert_allclose(
      observations.proprio(scene)[0, 0], [1, 0.5, 0.5, -0.5]
    )


if __name__ == "__main__":
  absltest.main()
