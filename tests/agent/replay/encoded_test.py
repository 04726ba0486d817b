"""Tests of adaland.agent.replay.encoded; in_memory_test has the other end."""

import numpy as np
from absl.testing import absltest

from adaland.agent.replay import encoded
from adaland.agent.replay import spec as spec_lib
from tests.agent.replay import examples

_SPEC = spec_lib.UnrollSpec.from_unroll(examples.unroll())


class EncodedWriterTest(absltest.TestCase):
  def test_the_channel_carries_unroll_and_priority(self):
    sent = []
    writer = encoded.EncodedWriter(_SPEC, sent.append)
    writer.insert(examples.unroll(1), 0.25)
    writer.insert(examples.unroll(2))
    writer.close()
    for data, number, priority in zip(sent, (1, 2), (0.25, 1.0), strict=True):
      self.assertIsInstance(data, bytes)
      arrays, given = _SPEC.decode(data)
      self.assertEqual(given, priority)
      self.assertEqual(_SPEC.unflatten(arrays).params_version, number)
      for array, expected in zip(
        arrays, _SPEC.flatten(examples.unroll(number)), strict=True
      ):
        np.testing.assert_array_equal(array, expected)

  def test_another_unroll_is_not_sent(self):
    sent = []
    writer = encoded.EncodedWriter(_SPEC, sent.append)
    wrong = examples.unroll()._replace(mask=np.ones(4, np.uint8))
    with self.assertRaisesRegex(ValueError, r"Field mask is uint8\[4\]"):
      writer.insert(wrong)
    self.assertEmpty(sent)

  def test_the_caller_hears_of_a_channel_that_takes_nothing(self):
    def send(data):
      raise TimeoutError("full")

    with self.assertRaisesRegex(TimeoutError, "full"):
      encoded.EncodedWriter(_SPEC, send).insert(examples.unroll())


if __name__ == "__main__":
  absltest.main()
