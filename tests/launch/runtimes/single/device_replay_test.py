"""Tests of adaland.launch.runtimes.single.device_replay."""

import jax
import numpy as np
from absl.testing import absltest

from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.runtimes.single import device_replay
from tests.agent.replay import examples

_SPEC = UnrollSpec.from_unroll(examples.unroll())


def _stacked(*numbers):
  unrolls = [examples.unroll(number) for number in numbers]
  return jax.tree.map(lambda *x: np.stack(x), *unrolls)


def _numbers(batch):
  return np.asarray(batch.params_version).tolist()


class DeviceReplayTest(absltest.TestCase):
  def test_unrolls_come_back_as_they_were(self):
    store = device_replay.empty(_SPEC, 3)
    unrolls = _stacked(1, 2, 3, 4)
    # The second is left out, the fourth takes row 0.
    store = device_replay.insert(
      store, unrolls, np.array([2, 3, 1, 0], np.int32)
    )
    self.assertEqual(_numbers(store), [4, 3, 1])
    batch = device_replay.sample(
      store,
      jax.random.PRNGKey(0),
      np.uint32(0),
      np.int32(1),
      np.int32(3),
      3,
      True,
    )
    expected = _stacked(3, 1, 4)
    for x, y in zip(
      jax.tree.leaves(batch), jax.tree.leaves(expected), strict=True
    ):
      np.testing.assert_array_equal(x, y)

  def test_draws_from_the_stored_items_by_key_and_number(self):
    store = device_replay.empty(_SPEC, 8)
    store = device_replay.insert(
      store, _stacked(*range(8)), np.arange(8, dtype=np.int32)
    )

    def draw(seed, number):
      return _numbers(
        device_replay.sample(
          store,
          jax.random.PRNGKey(seed),
          np.uint32(number),
          np.int32(6),
          np.int32(4),
          16,
          False,
        )
      )

    # Four items from row 6 on, wrapping around the end.
    self.assertEqual(set(draw(0, 0) + draw(0, 1)), {6, 7, 0, 1})
    self.assertEqual(draw(0, 0), draw(0, 0))
    self.assertNotEqual(draw(0, 0), draw(0, 1))
    self.assertNotEqual(draw(0, 0), draw(1, 0))


if __name__ == "__main__":
  absltest.main()
