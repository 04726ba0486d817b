"""Tests of the shapes' geometry."""

import numpy as np
from absl.testing import absltest

from adaland.envs import constants, shapes, tables


class ShapesTest(absltest.TestCase):
  def test_cube_has_known_radii_and_mass(self):
    self.assertAlmostEqual(shapes.CUBE.footprint_radius, 0.282842712, 6)
    self.assertAlmostEqual(shapes.CUBE.bounding_radius, 0.346410162, 6)
    self.assertAlmostEqual(shapes.CUBE.mass, 0.064 * tables.DENSITY)

  def test_pyramid_has_known_centre_radius_and_volume(self):
    self.assertAlmostEqual(shapes.PYRAMID.centre_height, 0.1125)
    # The base's corners are farther than the tip: sqrt(0.125 + 0.1125^2).
    self.assertAlmostEqual(shapes.PYRAMID.bounding_radius, 0.37103, 4)
    self.assertAlmostEqual(shapes.PYRAMID.volume, 0.0375)

  def test_table_is_in_the_order_of_shape_names(self):
    self.assertLen(shapes.SHAPE_TABLE, constants.NUM_SHAPES)
    self.assertIs(shapes.shape_of_type(1), shapes.WALL)
    self.assertIs(shapes.shape_of_type(6), shapes.CUBE)
    self.assertIs(shapes.shape_of_type(7), shapes.SPHERE)
    self.assertIs(shapes.shape_of_type(12), shapes.PYRAMID)

  def test_half_depths_and_tops(self):
    for shape, heights, expected in (
      (shapes.WALL, (0.0, 0.3, 0.5), (0.08, 0.08, 0.08)),
      (shapes.SPHERE, (0.0, 0.088, 0.22, 0.44), (0.0, 0.176, 0.22, 0.0)),
      (shapes.PYRAMID, (0.0, 0.09, 0.45), (0.25, 0.2, 0.0)),
    ):
      found = shapes.half_depths(shape, np.array(heights))
      np.testing.assert_allclose(found, expected, atol=1e-7)
      self.assertAlmostEqual(shapes.top(shape), heights[-1])

  def test_a_hull_s_larger_side_counts(self):
    corners = ((0.1, -1, -0.1), (0.1, 1, -0.1), (-0.4, 0, -0.1), (0, 0, 0.2))
    shape = shapes.PYRAMID._replace(corners=corners, centre_height=0.1)
    found = shapes.half_depths(shape, np.array([0.0, 0.15, 0.3]))
    np.testing.assert_allclose(found, [0.4, 0.2, 0.0], atol=1e-7)

  def test_players_have_no_shape(self):
    for type_id in (0, 13):
      with self.assertRaisesRegex(
        ValueError, f"type_id is {type_id}, allowed: 1 to 12"
      ):
        shapes.shape_of_type(type_id)


if __name__ == "__main__":
  absltest.main()
