"""Tests of adaland.launch.soaking.bodies."""

import math

import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.soaking import bodies
from tests.launch.soaking import states

_WALL, _PYRAMID = 1, 10
_UPRIGHT = (1.0, 0.0, 0.0, 0.0)


def _turned(axis: int, degrees: float) -> list[float]:
  quat = [math.cos(math.radians(degrees / 2)), 0.0, 0.0, 0.0]
  quat[1 + axis] = math.sin(math.radians(degrees / 2))
  return quat


class BodiesTest(parameterized.TestCase):
  @parameterized.parameters(
    # Half extents of a wall are 0.08, 0.4, 0.25 m, of a cube 0.2 m.
    (states.CUBE, _UPRIGHT, (-0.2, -0.2, -0.2), (0.2, 0.2, 0.2)),
    (_WALL, _UPRIGHT, (-0.08, -0.4, -0.25), (0.08, 0.4, 0.25)),
    (_WALL, _turned(0, 90), (-0.08, -0.25, -0.4), (0.08, 0.25, 0.4)),
    (_WALL, _turned(1, 90), (-0.25, -0.4, -0.08), (0.25, 0.4, 0.08)),
    (_WALL, _turned(2, 90), (-0.4, -0.08, -0.25), (0.4, 0.08, 0.25)),
    # A third of a turn about the diagonal: x to y to z.
    (_WALL, (0.5, 0.5, 0.5, 0.5), (-0.25, -0.08, -0.4), (0.25, 0.08, 0.4)),
    # A pyramid's centre is a quarter of its height, 0.45 m, above its base.
    (_PYRAMID, _UPRIGHT, (-0.25, -0.25, -0.1125), (0.25, 0.25, 0.3375)),
    (_PYRAMID, _turned(0, 90), (-0.25, -0.3375, -0.25), (0.25, 0.1125, 0.25)),
    (_PYRAMID, _turned(1, 90), (-0.1125, -0.25, -0.25), (0.3375, 0.25, 0.25)),
  )
  def test_surface_points_span_the_shape(self, kind, quat, least, most):
    view = states.room()
    view.slot_types[0, 1] = kind
    view.object_quat[0, 1] = quat
    points = bodies.surface_points(view, 0, 1) - view.object_pos[0, 1]
    np.testing.assert_allclose(points.min(0), least, atol=1e-6)
    np.testing.assert_allclose(points.max(0), most, atol=1e-6)

  def test_edges_and_faces_have_points_too(self):
    view = states.room()
    view.slot_types[0, 1] = _PYRAMID
    for slot, wanted in ((0, (0, 0.2, -0.2)), (1, (0.25, 0, -0.1125))):
      points = bodies.surface_points(view, 0, slot)
      away = np.linalg.norm(points - view.object_pos[0, slot] - wanted, axis=1)
      self.assertLess(away.min(), 1e-6)

  def test_a_pyramid_ends_in_a_point(self):
    view = states.room()
    view.slot_types[0, 1] = _PYRAMID
    points = bodies.surface_points(view, 0, 1)
    [*above] = points[points[:, 2] > points[:, 2].max() - 0.1]
    np.testing.assert_allclose(np.unique(above, axis=0)[:, :2], [(2, 0)])

  def test_a_sphere_s_lowest_point(self):
    view = states.room()
    view.slot_types[0, 1] = states.SPHERE
    np.testing.assert_allclose(
      bodies.surface_points(view, 0, 1), [[2, 0, 0.2 - 0.22]], atol=1e-6
    )

  def test_centres_are_those_of_players_and_objects(self):
    view = states.room()
    np.testing.assert_allclose(
      bodies.centres(view, 0)[:3], [(0, 0, 0.5), (0.8, 0, 0.2), (2, 0, 0.2)]
    )

  def test_objects_of_other_types_are_left_out(self):
    view = states.room()
    view.slot_types[0, 1] = states.SPHERE
    for types, expected in (
      (None, [states.CUBE, states.SPHERE, 0]),
      ({states.SPHERE}, [0, states.SPHERE, 0]),
    ):
      made = bodies.of(view, 0, types)
      self.assertEqual(made.slot_types.tolist(), expected)


if __name__ == "__main__":
  absltest.main()
