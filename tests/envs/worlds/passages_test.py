"""Tests of adaland.envs.worlds.passages."""

import numpy as np
from absl.testing import absltest, parameterized

from adaland.envs import shapes
from adaland.envs.sampling import config, sampler
from adaland.envs.worlds import generation, passages, regions, scene, terrain

# Level 9 is a wall: two rooms of 3 x 3 tiles, joined by a corridor 1 tile wide.
_ROOMS = np.array(
  [
    [0, 0, 0, 9, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0, 9, 0, 0, 0],
  ]
)


def _ground(heights):
  ramps = np.zeros_like(heights)
  return terrain.Terrain(heights, ramps, regions.find_regions(heights, ramps))


def _divides(heights, *discs):
  """Returns if discs (x, y, radius) divide the ground; the start is a corner.

  Their positions are in tiles from that corner, at which the room begins.
  """
  discs = np.array(discs)
  corner = -np.array(heights.shape) / 2
  return passages.divides(
    _ground(heights), corner + 0.5, corner + discs[:, :2], discs[:, 2]
  )


class DividesTest(parameterized.TestCase):
  @parameterized.named_parameters(
    ("in_the_corridor", (1.5, 3.5, 0.25), True),
    ("at_its_side", (1.3, 3.5, 0.25), True),
    ("almost_far_enough_to_a_side", (1.23, 3.5, 0.25), True),
    ("far_enough_to_a_side", (1.15, 3.5, 0.25), False),
    ("small_at_its_side", (1.15, 3.5, 0.14), False),
    ("between_corridor_and_room", (1.5, 3.0, 0.25), True),
    ("in_its_mouth", (1.5, 2.6, 0.25), True),
    ("in_a_room", (1.5, 1.5, 0.25), False),
    ("in_a_corner", (2.5, 6.5, 0.25), False),
  )
  def test_one_disc(self, disc, expected):
    self.assertEqual(_divides(_ROOMS, disc), expected)
    turned = disc[1], disc[0], disc[2]
    self.assertEqual(_divides(_ROOMS.T, turned), expected)

  def test_discs_that_close_a_wide_passage_together(self):
    room = np.zeros((2, 5), int)
    one, other = (0.5, 2.5, 0.25), (1.5, 2.5, 0.25)
    self.assertFalse(_divides(room, one))
    self.assertFalse(_divides(room, other))
    self.assertTrue(_divides(room, one, other))

  def test_discs_of_different_sizes(self):
    large, small = (1.23, 3.5, 0.25), (0.5, 0.5, 0.05)
    self.assertTrue(_divides(_ROOMS, large, small))
    self.assertTrue(_divides(_ROOMS, small, large))
    large, small = (2.5, 6.5, 0.25), (1.25, 3.5, 0.14)
    self.assertFalse(_divides(_ROOMS, large, small))
    self.assertFalse(_divides(_ROOMS, small, large))

  def test_where_a_disc_is_need_not_be_reached(self):
    """Its tile is a dead end, in which nobody else is."""
    corridor = np.zeros((1, 4), int)
    self.assertFalse(_divides(corridor, (0.5, 3.5, 0.25)))
    self.assertTrue(_divides(corridor, (0.5, 2.5, 0.25)))

  def test_walls_are_no_ground(self):
    heights = np.array([[0, 0, 9]])
    self.assertFalse(_divides(heights, (0.5, 1.9, 0.05)))

  def test_a_way_round_a_disc(self):
    ring = np.array([[0, 0, 0], [0, 9, 0], [0, 0, 0]])
    one, other = (0.5, 1.5, 0.25), (2.5, 1.5, 0.25)
    self.assertFalse(_divides(ring, one))
    self.assertTrue(_divides(ring, one, other))


class SampledTaskTest(absltest.TestCase):
  def test_frozen_objects_of_sampled_tasks_close_no_passage(self):
    """Test task 49 is one in which the first positions drawn would."""
    tasks = sampler.TaskSampler(config.SamplerConfig(split="test"))
    count = 0
    for index in (49, *range(30)):
      task = tasks.task(index)
      start = scene.build_scene(task, 24, 1)
      frozen = start.slot_frozen & (start.slot_types > 0)
      count += int(frozen.any())
      kinds = start.slot_types[frozen].tolist()
      radii = [shapes.shape_of_type(kind).footprint_radius for kind in kinds]
      self.assertFalse(
        passages.divides(
          generation.make_terrain(task.world),
          start.player_at[0, :2],
          start.slot_at[frozen, :2],
          np.array(radii),
        ),
        index,
      )
    self.assertGreater(count, 5)


if __name__ == "__main__":
  absltest.main()
