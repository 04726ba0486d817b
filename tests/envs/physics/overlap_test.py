"""Tests of overlaps against hand-computed depths."""

import threading

import mujoco
import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs.physics import overlap, parts
from tests.envs.physics import fakes


def _find(*objects, players=(), least=0.0):
  """Finds overlaps of (type id, centre, yaw) objects and of players."""
  bodies = overlap.Bodies(
    slot_types=np.array([kind for kind, _, _ in objects], int),
    slot_at=np.reshape([at for _, at, _ in objects], (-1, 3)),
    slot_quat=np.reshape([parts.yaw_quat(yaw) for *_, yaw in objects], (-1, 4)),
    player_at=np.reshape(players, (-1, 3)),
  )
  return list(overlap.find(bodies, least))


class FindTest(parameterized.TestCase):
  @parameterized.parameters(
    (fakes.CUBE, (0.3, 0.0, 0.2), 0.0, 0.1),
    (fakes.CUBE, (0.41, 0.0, 0.2), 0.0, None),
    (fakes.CUBE, (0.41, 0.0, 0.2), np.pi / 4, 0.2 * np.sqrt(2) - 0.21),
    (fakes.SPHERE, (0.37, 0.0, 0.2), 0.0, 0.05),
    (fakes.WALL, (0.0, 0.5, 0.25), 0.0, 0.1),
    (fakes.WALL, (0.0, 0.5, 0.25), np.pi / 2, None),
    (fakes.PYRAMID, (0.0, 0.0, 0.4 + 0.45 / 4 - 0.03), 0.0, 0.03),
  )
  def test_depth_inside_a_cube(self, kind, at, yaw, depth):
    found = _find((fakes.CUBE, (0.0, 0.0, 0.2), 0.0), (kind, at, yaw))
    if depth is None:
      self.assertEmpty(found)
    else:
      self.assertLen(found, 1)
      self.assertEqual(found[0][:2], (0, 1))
      self.assertAlmostEqual(found[0].depth, depth, delta=1e-3)

  def test_players_come_first_and_empty_slots_are_nothing(self):
    cube, none = (fakes.CUBE, (0.4, 0.0, 0.5), 0.0), (0, (0.4, 0.0, 0.5), 0.0)
    found = _find(none, cube, players=[(5.0, 0, 0), (0.0, 0.0, 0.0)])
    self.assertEqual([(1, 3)], [x[:2] for x in found])
    self.assertAlmostEqual(found[0].depth, 0.05, delta=1e-3)
    self.assertEmpty(_find(cube, players=[(0.0, 0.0, 0.0)], least=0.06))

  def test_nodes_that_are_closer_than_some_distance(self):
    cubes = [(fakes.CUBE, (x, 0.0, 0.2), 0.0) for x in (0.0, 0.45, 0.95)]
    [found] = _find(*cubes, least=-0.06)
    self.assertEqual(found[:2], (0, 1))
    self.assertAlmostEqual(found.depth, -0.05, delta=1e-4)

  def test_threads_do_not_mix_up_their_bodies(self):
    kinematics = mujoco.mj_kinematics
    depths = {}

    def find(x):
      cubes = [(fakes.CUBE, (at, 0.0, 0.2), 0.0) for at in (0.0, x)]
      [depths[x]] = [found.depth for found in _find(*cubes)]

    other = threading.Thread(target=find, args=(0.35,))

    def interrupted(model, data):
      kinematics(model, data)
      if other.ident is None:
        other.start()
        other.join(0.5)  # It may have to wait for this thread.

    with absltest.mock.patch.object(mujoco, "mj_kinematics", interrupted):
      find(0.3)
    other.join()
    self.assertAlmostEqual(depths[0.3], 0.1, delta=1e-3)
    self.assertAlmostEqual(depths[0.35], 0.05, delta=1e-3)


if __name__ == "__main__":
  absltest.main()
