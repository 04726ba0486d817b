"""Tests that convex pieces cover terrain."""

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from adaland.envs import constants
from adaland.envs.physics import terrain


def _top(ground: terrain.Pieces, x: float, y: float) -> float:
  """Returns the height of the highest visible box over a point."""
  shown = ~ground.box_hidden
  away = np.array([x, y]) - ground.box_centres[:, :2]
  c, s = np.cos(ground.box_yaws), np.sin(ground.box_yaws)
  along = c * away[:, 0] + s * away[:, 1]
  across = c * away[:, 1] - s * away[:, 0]
  inside = np.abs(along) <= ground.box_halves[:, 0]
  inside &= np.abs(across) <= ground.box_halves[:, 1]
  tops = ground.box_centres[:, 2] + ground.box_halves[:, 2]
  return tops[shown & inside].max()


class TerrainTest(parameterized.TestCase):
  def test_flat_room_is_a_floor_and_four_walls(self):
    ground = terrain.pieces(np.zeros((4, 6), int), np.zeros((4, 6), int))
    self.assertEqual((~ground.box_hidden).sum(), 5)
    self.assertEqual(_top(ground, 1.9, -2.9), 0.0)
    for x, y in ((2.1, 0), (-2.1, 0), (0, 3.1), (0, -3.1), (2.5, 3.5)):
      self.assertEqual(_top(ground, x, y), constants.BORDER_METRES)

  def test_a_plateau_is_one_box(self):
    heights = np.zeros((6, 6), int)
    heights[2:5, 1:4] = 2
    ground = terrain.pieces(heights, np.zeros_like(heights))
    self.assertEqual((~ground.box_hidden).sum(), 6)

  def test_hidden_boxes_close_the_room_above_the_walls(self):
    ground = terrain.pieces(np.zeros((4, 6), int), np.zeros((4, 6), int))
    low = (ground.box_centres - ground.box_halves)[ground.box_hidden]
    high = (ground.box_centres + ground.box_halves)[ground.box_hidden]
    self.assertLen(low, 5)
    np.testing.assert_allclose(
      low[:, 2], [constants.BORDER_METRES] * 4 + [high[0, 2]]
    )
    # No way out from the centre of the room through walls and lid.
    for point in ((2.1, 0, 4), (-2.1, 0, 4), (0, 3.1, 4), (0, -3.1, 4)):
      self.assertEqual(((low < point) & (point < high)).all(-1).sum(), 1)
    at = (1.9, 2.9, high[0, 2] + 0.1)
    self.assertTrue(((low < at) & (at < high)).all(-1)[-1])

  def test_ramps_stand_on_their_tile_and_climb_in_their_direction(self):
    heights, ramps = np.zeros((4, 4), int), np.zeros((4, 4), int)
    heights[1, 2], ramps[1, 2], ramps[3, 0] = 1, 4, 1
    ground = terrain.pieces(heights, ramps)
    np.testing.assert_allclose(
      ground.ramp_bases, [[-0.5, 0.5, 0.5], [1.5, -1.5, 0.0]]
    )
    np.testing.assert_allclose(ground.ramp_yaws, [1.5 * np.pi, 0.0])

  @parameterized.parameters((5, 1, 1), (6, -1, 1), (7, -1, -1), (8, 1, -1))
  def test_a_diagonal_cliff_is_a_box_that_fills_its_higher_half(
    self, form, dx, dy
  ):
    i, j = np.indices((5, 5)) - 2
    heights = 1 + (i * dx + j * dy >= 1)
    ramps = np.zeros_like(heights)
    ramps[2, 2] = form
    flat = terrain.pieces(heights, np.zeros_like(heights))
    ground = terrain.pieces(heights, ramps)
    self.assertLen(ground.box_yaws, len(flat.box_yaws) + 1)
    self.assertEmpty(ground.ramp_bases)
    rng = np.random.default_rng(form)
    for x, y in rng.uniform(-2.4, 2.4, (200, 2)):
      inside = max(abs(x), abs(y)) < 0.5
      expected = _top(flat, x, y)
      if inside:
        self.assertEqual(expected, 0.5)
        expected += 0.5 * (x * dx + y * dy > 0)
      self.assertEqual(_top(ground, x, y), expected)

  @settings(max_examples=30, deadline=None)
  @given(
    st.integers(1, 8), st.integers(1, 8), st.integers(1, 4), st.integers(0, 999)
  )
  def test_boxes_give_every_tile_its_height(self, x, y, levels, seed):
    heights = np.random.default_rng(seed).integers(0, levels, (x, y))
    ground = terrain.pieces(heights, np.zeros_like(heights))
    for i, j in np.ndindex(x, y):
      at = (i + 0.5 - x / 2, j + 0.5 - y / 2)
      self.assertEqual(
        _top(ground, *at), heights[i, j] * constants.LEVEL_METRES
      )


if __name__ == "__main__":
  absltest.main()
