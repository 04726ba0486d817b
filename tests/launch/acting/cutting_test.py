"""Tests of adaland.launch.acting.cutting."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.replay.spec import UnrollSpec
from adaland.launch.acting import cutting, rollout
from tests.launch.acting import fakes

_LENGTH, _NUM_ENVS = 4, 2


def _carry():
  return rollout.empty(
    fakes.FUNCTIONS, fakes.SPEC, _NUM_ENVS, _LENGTH, fakes.SIZES
  )


def _snapshots():
  return {"m": np.arange(4, dtype=np.float32)[:, None]}


class CuttingTest(parameterized.TestCase):
  def cut(self, indices):
    return cutting.cut(
      _carry().buffer,
      _snapshots(),
      np.array(indices, np.int32).T,
      np.int32(7),
      None,
      _LENGTH,
    )

  def test_unrolls_on_the_host_look_like_the_example(self):
    unrolls = self.cut([(0, 0, 4, 0), (1, 0, 2, 3)])
    example = cutting.example_unroll(
      fakes.SPEC, fakes.SIZES, _LENGTH, {"m": np.zeros(1, np.float32)}
    )
    spec = UnrollSpec.from_unroll(example)
    one, two = cutting.to_host(unrolls, 2)
    for unroll in (one, two):
      spec.flatten(unroll)  # Raises for another field, shape or dtype.
      for leaf in jax.tree.leaves(unroll):
        self.assertIsInstance(leaf, (np.ndarray, np.generic))
      self.assertEqual(unroll.params_version, 7)
    np.testing.assert_array_equal(one.mask, [1, 1, 1, 1])
    np.testing.assert_array_equal(two.mask, [1, 1, 0, 0])
    np.testing.assert_array_equal(two.initial_memory["m"], [3.0])

  def test_only_the_unrolls_that_count_go_to_the_host(self):
    unrolls = self.cut([(0, 0, 4, 0), (1, 0, 4, 1), (0, 0, 0, 0)])
    self.assertLen(cutting.to_host(unrolls, 2), 2)

  def test_an_unroll_wraps_round_the_buffer(self):
    carry = _carry()
    step = rollout.make_step(fakes.FUNCTIONS, fakes.GAMMA, fakes.SIZES)
    control = np.zeros((len(rollout.CONTROL), _NUM_ENVS), np.int32)
    for time in range(8):
      at = np.array([[row, time] for row in range(_NUM_ENVS)], np.float32)
      _, carry = step(
        fakes.PARAMS,
        carry,
        {"at": at, "goal": np.array([[3], [4]], np.int32)},
        np.full(_NUM_ENVS, time, np.float32),
        control,
        None,
        jax.random.PRNGKey(0),
        np.int32(time),
      )
    # Steps 3 to 6 lie in rows 3, 4, 0 and 1 of five.
    unrolls = cutting.cut(
      carry.buffer,
      {},
      np.array([[1], [3], [4], [0]], np.int32),
      np.int32(0),
      None,
      _LENGTH,
    )
    np.testing.assert_array_equal(
      unrolls.observation["at"][0], [[1, t] for t in range(3, 7)]
    )
    np.testing.assert_array_equal(unrolls.reward[0], [4, 5, 6, 7])
    np.testing.assert_array_equal(unrolls.observation["goal"], [[4]])

  def test_memory_goes_to_its_rows_and_nowhere_past_the_last(self):
    snapshots = jax.device_put(_snapshots())
    memory = {"m": np.array([[10.0], [11.0]], np.float32)}
    kept = cutting.keep_memory(
      snapshots,
      memory,
      np.array([1, 0], np.int32),
      np.array([2, 4], np.int32),
    )
    np.testing.assert_array_equal(kept["m"][:, 0], [0, 1, 11, 3])


if __name__ == "__main__":
  absltest.main()
