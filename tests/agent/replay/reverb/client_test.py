"""Tests of adaland.agent.replay.reverb.client on a fake server.

Tests with a real server are in owner_test.
"""

import contextlib

import numpy as np
from absl.testing import absltest

from adaland.agent.replay.reverb import client, server
from tests.agent.replay import examples, fake_reverb


class WriterTest(fake_reverb.FakeServerTest):
  def writer(self):
    return client.ReverbWriter(
      fake_reverb.ADDRESS, fake_reverb.SPEC, insert_timeout=0.1
    )

  def numbers(self):
    version = [c.name for c in fake_reverb.SPEC.columns].index("params_version")
    return [int(columns[version]) for _, _, columns, _ in self.server.stored]

  def test_items_are_whole_columns(self):
    writer = self.writer()
    writer.insert(examples.unroll(4))
    writer.close()
    [(table, priority, columns, squeeze)] = self.server.stored
    self.assertEqual(table, server.TABLE)
    self.assertGreater(priority, 0)
    self.assertEqual(squeeze, [True] * len(fake_reverb.SPEC.columns))
    for column, expected in zip(
      columns, fake_reverb.SPEC.flatten(examples.unroll(4)), strict=True
    ):
      np.testing.assert_array_equal(column, expected)

  def test_at_most_one_is_on_its_way(self):
    self.server.confirms = False
    writer = self.writer()
    writer.insert(examples.unroll(1))
    with self.assertRaisesRegex(TimeoutError, "no unroll for 0.1 s"):
      writer.insert(examples.unroll(2))
    self.server.confirms = True
    writer.insert(examples.unroll(3))
    writer.close()
    self.assertEqual(self.numbers(), [1, 3])  # The second was refused.

  def test_what_a_dead_server_did_not_confirm_goes_to_the_next(self):
    writer = self.writer()
    writer.insert(examples.unroll(1))
    self.server.restart()
    writer.insert(examples.unroll(2))
    writer.close()
    self.assertEqual(self.numbers(), [1, 2])


class SamplerTest(fake_reverb.FakeServerTest):
  def sampler(self, batch_size=2):
    sampler = client.ReverbSampler(
      fake_reverb.ADDRESS, fake_reverb.SPEC, batch_size
    )
    self.addCleanup(self.server.items.put, None)  # Ends its thread.
    self.addCleanup(sampler.close)
    return sampler

  def test_batches_are_stacked_in_order(self):
    sampler = self.sampler()
    for number in (5, 3, 8, 1, 9):
      self.server.items.put(number)
    for expected in ([5, 3], [8, 1]):
      batch = sampler.sample(timeout=60)
      self.assertEqual(batch.params_version.tolist(), expected)
    np.testing.assert_array_equal(batch.reward[1], examples.unroll(1).reward)
    with self.assertRaisesRegex(TimeoutError, "no batch of 2 for 0.05 s"):
      sampler.sample(timeout=0.05)
    # The fifth waits for its companion.
    self.server.items.put(2)
    self.assertEqual(sampler.sample(timeout=60).params_version.tolist(), [9, 2])

  def draw(self, sampler):
    """Draws as the learner does, with a short timeout."""
    for _ in range(200):
      with contextlib.suppress(TimeoutError):
        return sampler.sample(timeout=0.05)
    raise AssertionError("no batch came")

  def test_it_goes_on_with_a_server_that_came_back(self):
    sampler = self.sampler(batch_size=1)
    self.server.restart()
    self.server.items.put(None)  # The old connection breaks.
    with self.assertRaises(TimeoutError):
      sampler.sample(timeout=0.05)
    self.server.items.put(6)
    self.assertEqual(self.draw(sampler).params_version.tolist(), [6])

  def test_it_does_not_wait_for_an_old_connection_to_come_back(self):
    self.server.hangs = True
    sampler = self.sampler(batch_size=1)
    self.server.restart()
    self.server.hangs = False
    self.server.items.put(6)
    self.assertEqual(self.draw(sampler).params_version.tolist(), [6])

  def test_a_thread_that_broke_off_is_replaced(self):
    sampler = self.sampler(batch_size=1)
    self.server.items.put(None)  # Although the server answers.
    self.server.items.put(6)
    self.assertEqual(self.draw(sampler).params_version.tolist(), [6])

  def test_a_server_of_other_fields_in_its_place_is_told(self):
    sampler = self.sampler(batch_size=1)
    self.server.restart()
    self.server.tables = [fake_reverb.message({8: b"my_table"})]
    with self.assertRaisesRegex(ValueError, "is not a replay of ours"):
      self.draw(sampler)

  def test_closed(self):
    sampler = self.sampler()
    sampler.close()
    with self.assertRaisesRegex(RuntimeError, "sampler is closed"):
      sampler.sample(timeout=1)


if __name__ == "__main__":
  absltest.main()
