"""Tests of adaland.launch.acting.arrays."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.launch.acting import arrays


@functools.partial(jax.jit, donate_argnums=0)
def _consume(x):
  return x + 1


class ArraysTest(parameterized.TestCase):
  @parameterized.parameters(
    ([], [9]),
    ([3], [3]),
    ([3, 1, 2], [3, 1, 2, 9]),
    ([1] * 5, [1] * 5 + [9] * 3),
  )
  def test_pads_to_powers_of_two(self, numbers, padded):
    self.assertEqual(arrays.padded(numbers, 9).tolist(), padded)

  def test_a_program_may_consume_an_array_put_on_the_device(self):
    # Aligned as JAX likes to share it.
    host = np.zeros(1024, np.float32)
    made = arrays.put_like(host, jnp.ones(1024))
    self.assertEqual(float(_consume(made)[0]), 1.0)
    self.assertEqual(host.tolist(), [0.0] * 1024)


if __name__ == "__main__":
  absltest.main()
