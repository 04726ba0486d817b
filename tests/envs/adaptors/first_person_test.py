"""Tests of adaland.envs.adaptors.first_person."""

import dataclasses

import numpy as np
from absl.testing import absltest

from adaland.envs.adaptors import first_person
from tests.envs import fixtures


class PicturesTest(absltest.TestCase):
  def test_draws_what_the_observation_shows(self):
    config = fixtures.PIXELS
    environments = fixtures.make_land(fixtures.busy_task(), config=config)
    environments.reset()
    step = environments.step(fixtures.noop())
    drawn = first_person.pictures(environments, size=config.pixels)
    observed = step.observation["pixels"]
    self.assertEqual((drawn.shape, drawn.dtype), (observed.shape, np.uint8))
    # Equal up to rounding, except for pixels on edges.
    close = np.abs(drawn.astype(int) - observed.astype(int)).max(-1) <= 1
    self.assertGreater(close.mean(), 0.99)

  def test_draws_the_environments_asked_for(self):
    task = fixtures.busy_task()
    world = dataclasses.replace(task.world, seed=4)  # In another look.
    other = dataclasses.replace(fixtures.crowded_task(), world=world)
    environments = fixtures.make_land(task, other)
    environments.reset()
    drawn = first_person.pictures(environments, size=(32, 24))
    for i in range(fixtures.NUM_ENVS):
      np.testing.assert_array_equal(
        first_person.pictures(environments, [i], (32, 24)), drawn[i : i + 1]
      )

  def test_draws_the_first_of_two_players(self):
    task = fixtures.busy_task()
    second = dataclasses.replace(task.players[0], at=(-2.0, -2.0))
    task = dataclasses.replace(
      task, players=(task.players[0], second), hiding=()
    )
    environments = fixtures.make_land(task, config=fixtures.TWO_PLAYERS)
    environments.reset()
    self.assertEqual(
      first_person.pictures(environments).shape,
      (fixtures.NUM_ENVS, 240, 320, 3),
    )


if __name__ == "__main__":
  absltest.main()
