"""Tests of adaland.launch.run.published_pool, with fakes and kills."""

from typing import Any

import numpy as np
from absl.testing import absltest

from adaland.curriculum import coplayers
from adaland.launch import errors
from adaland.launch.run import published_pool, snapshots

_FIRST = coplayers.FIRST_SNAPSHOT


class PublishedPoolTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = self.create_tempdir().full_path
    self.published: Any = None
    self.told: Any = None
    self.away: Exception | None = None

  def publish(self, params):
    self.published = {n: float(each["w"]["x"]) for n, each in params.items()}

  def tell(self, numbers):
    if self.away is not None:
      raise self.away
    self.told = list(numbers)

  def make(self, saved=None):
    config = coplayers.CoplayersConfig(pool_size=2, snapshot_updates=10)
    template = {"w": {"x": np.zeros((), np.float32)}}
    pool = snapshots.SnapshotPool(config, self.folder, template)
    return published_pool.PublishedPool(pool, self.publish, self.tell, saved)

  def learn(self, made, first, last):
    """Offers the agent, whose arrays each update changes in place."""
    x = np.zeros((), np.float32)
    for updates in range(first, last + 1):
      x[...] = updates
      made.offer(updates, {"w": {"x": x}})

  def test_actors_and_curriculum_learn_of_every_snapshot(self):
    made = self.make()
    self.assertEqual(self.told, [])
    self.learn(made, 1, 29)
    self.assertEqual(self.told, [_FIRST, _FIRST + 1])
    self.assertEqual(self.published, {_FIRST: 10.0, _FIRST + 1: 20.0})

  def test_a_curriculum_that_is_away_is_told_later(self):
    made = self.make()
    for first, error in ((1, ConnectionError()), (11, TimeoutError())):
      before = self.told
      self.away = error
      self.learn(made, first, first + 9)
      self.assertEqual(self.told, before)
      self.away = None
      self.learn(made, first + 10, first + 10)
      self.assertLen(self.told, len(before) + 1)
    self.assertEqual(self.told, [_FIRST, _FIRST + 1])

  def test_a_curriculum_that_was_restarted_is_told_at_a_checkpoint(self):
    made = self.make()
    self.learn(made, 1, 15)
    self.told = None
    self.learn(made, 16, 17)
    self.assertIsNone(self.told)
    made.state_dict()
    self.assertEqual(self.told, [_FIRST])

  def test_a_killed_learner_resumes_with_the_pool_of_its_checkpoint(self):
    made = self.make()
    self.learn(made, 1, 35)
    saved = {"coplayers": made.state_dict()}
    made.tidy()
    self.learn(made, 36, 45)  # Then it is killed.
    self.assertEqual(self.told, [_FIRST + 2, _FIRST + 3])
    self.published = None
    again = self.make(saved)
    numbers = [_FIRST + 1, _FIRST + 2]
    self.assertEqual(self.told, numbers)
    expected = dict(zip(numbers, (20.0, 30.0), strict=True))
    self.assertEqual(self.published, expected)
    self.learn(again, 36, 50)
    self.assertEqual(self.published, {_FIRST + 3: 40.0, _FIRST + 4: 50.0})

  def test_a_full_disk_ends_the_run_in_one_line(self):
    made = self.make()
    with (
      absltest.mock.patch.object(
        snapshots.output,
        "write_atomically",
        side_effect=OSError(28, "No space"),
      ),
      self.assertRaisesRegex(errors.RunError, "No space|full"),
    ):
      self.learn(made, 10, 10)


if __name__ == "__main__":
  absltest.main()
