"""Tests for tasks as rows of arrays."""

import dataclasses

import jax
import numpy as np
from absl.testing import absltest

from adaland.envs import constants
from adaland.envs.stepping import task_rows
from adaland.envs.tasks.arrays import to_arrays
from adaland.envs.tasks.literals import Literal, Rule
from adaland.envs.tasks.task import World
from tests.envs import fixtures


class TaskRowsTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.rows = task_rows.TaskRows(2, fixtures.CONFIG)
    self.busy = fixtures.busy_task()

  def load(self, env_ids, tasks):
    prepared = [task_rows.prepare(task, fixtures.CONFIG) for task in tasks]
    self.rows.load(np.asarray(env_ids), prepared)

  def test_rows_hold_the_tasks_of_their_environments(self):
    other = fixtures.make_task(
      [], Literal("hold", fixtures.PLAYER, fixtures.CUBE)
    )
    self.load([0, 1], [other, self.busy])
    arrays = to_arrays(self.busy)
    np.testing.assert_array_equal(
      self.rows.observation["goal"][1], arrays.goal[:1]
    )
    np.testing.assert_array_equal(
      self.rows.observation["rules"][1], arrays.seen_rules[:1, :6]
    )
    tasks = self.rows.device
    np.testing.assert_array_equal(tasks.game.rules[1], arrays.rules[:6])
    np.testing.assert_array_equal(
      tasks.start_types[1],
      [x.type_id for x in (fixtures.CUBE, fixtures.SPHERE, fixtures.PYRAMID)]
      + [0] * 3,
    )
    self.assertEqual(tasks.trials[1], 2)
    self.assertEqual(tasks.trial_steps[1], self.busy.trial_steps)
    # Half the size of the flat arena.
    half = np.asarray(self.busy.world.tiles) * constants.TILE_METRES / 2
    np.testing.assert_allclose(tasks.room[1], half)
    # Only the second rule has a `see` literal: the player sees the pyramid.
    literals = np.asarray(tasks.see_literals[1])
    np.testing.assert_array_equal(
      literals[2], [fixtures.PLAYER.type_id, fixtures.PYRAMID.type_id]
    )
    self.assertEqual(np.count_nonzero(literals), 2)

  def test_an_absent_player_reaches_nothing(self):
    heights = [[0] * 5 for _ in range(5)]
    heights[2][2] = 3  # At an absent player's position.
    task = dataclasses.replace(
      fixtures.make_task(
        [],
        Literal("hold", fixtures.PLAYER, fixtures.CUBE),
        player_at=(-2.0, -2.0),
      ),
      world=World(tiles=(5, 5), levels=4, heights=tuple(map(tuple, heights))),
    )
    for num_players in (1, 2):
      config = dataclasses.replace(fixtures.CONFIG, num_players=num_players)
      row = task_rows.prepare(task, config).row
      self.assertEqual(row.game.reachable[2, 2], 0, num_players)

  def test_uneven_ground_leaves_no_room_without_terrain(self):
    heights = np.zeros((6, 6), int)
    heights[0, 0] = 1
    world = World(tiles=(6, 6), levels=2, heights=heights.tolist())
    hilly = dataclasses.replace(self.busy, world=world)
    row = task_rows.prepare(hilly, fixtures.CONFIG).row
    np.testing.assert_array_equal(row.room, 0)

  def test_loads_do_not_change_arrays_returned_before(self):
    self.load([0, 1], [self.busy, self.busy])
    device, observation = self.rows.device, self.rows.observation
    goal, types = observation["goal"].copy(), np.array(device.start_types)
    other = fixtures.make_task(
      [], Literal("hold", fixtures.PLAYER, fixtures.CUBE)
    )
    self.load([1], [other])
    np.testing.assert_array_equal(observation["goal"], goal)
    np.testing.assert_array_equal(device.start_types, types)
    self.assertFalse(np.array_equal(self.rows.observation["goal"][1], goal[1]))
    np.testing.assert_array_equal(self.rows.device.start_types[0], types[0])
    np.testing.assert_array_equal(self.rows.device.start_types[1], 0)
    with self.assertRaises(ValueError):
      self.rows.observation["goal"][0] = 0

  def test_rows_on_a_device_equal_those_on_the_host(self):
    config = dataclasses.replace(fixtures.CONFIG, backend="gpu", device="cpu")
    on_device = task_rows.TaskRows(3, config)
    self.rows = task_rows.TaskRows(3, fixtures.CONFIG)
    other = fixtures.make_task(
      [], Literal("hold", fixtures.PLAYER, fixtures.CUBE), trials=3
    )
    given = []
    for ids, tasks in (([0, 1, 2], [self.busy] * 3), ([0, 2], [other] * 2)):
      self.load(ids, tasks)
      on_device.load(
        np.asarray(ids), [task_rows.prepare(t, fixtures.CONFIG) for t in tasks]
      )
      given.append((on_device.device, on_device.observation))
      jax.tree.map(
        np.testing.assert_array_equal,
        (on_device.device, on_device.observation),
        (self.rows.device, self.rows.observation),
      )
    # The second load did not change the arrays of the first.
    np.testing.assert_array_equal(given[0][0].trials, 2)
    np.testing.assert_array_equal(given[1][0].trials, [3, 2, 3])

  def test_contacts_are_reported_that_a_literal_needs(self):
    touching = fixtures.make_task(
      [],
      Literal("hold", fixtures.PLAYER, fixtures.CUBE),
      [Rule(Literal("touching", fixtures.CUBE, fixtures.SPHERE), ())],
    )
    none, some = (
      task_rows.prepare(task, fixtures.CONFIG).scene.contacts
      for task in (self.busy, touching)
    )
    self.assertFalse(none.any())
    pair = fixtures.CUBE.type_id, fixtures.SPHERE.type_id
    self.assertEqual(
      set(map(tuple, np.argwhere(some).tolist())), {pair, pair[::-1]}
    )

  def test_refuses_too_many_rules(self):
    task = fixtures.make_task(
      [],
      Literal("hold", fixtures.PLAYER, fixtures.CUBE),
      [Rule(Literal("near", fixtures.CUBE, fixtures.SPHERE), ())] * 7,
    )
    with self.assertRaisesRegex(ValueError, "is 7, allowed: at most 6"):
      task_rows.prepare(task, fixtures.CONFIG)


if __name__ == "__main__":
  absltest.main()
