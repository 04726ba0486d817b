"""Tests of jaxprs: FLOPs and bytes counted by hand."""

from typing import Any

import jax
import jax.numpy as jnp
from absl.testing import absltest, parameterized

from adaland.launch.runtimes.single import jaxprs


def _shape(*shape, dtype=jnp.float32):
  return jax.ShapeDtypeStruct(shape, dtype)


def _xla_flops(function, *args):
  """Returns XLA's count of a call's FLOPs."""
  costs: Any = jax.jit(function).lower(*args).compile().cost_analysis()
  # JAX 0.4.34 gives one dictionary for each device.
  costs = costs[0] if isinstance(costs, list) else costs
  return costs["flops"]


class FlopsTest(parameterized.TestCase):
  def test_a_matrix_product(self):
    a, b = _shape(5, 7), _shape(7, 3)
    self.assertEqual(jaxprs.flops(jnp.matmul, a, b), 2 * 5 * 7 * 3)
    self.assertEqual(jaxprs.flops(jax.jit(jnp.matmul), a, b), 2 * 5 * 7 * 3)
    self.assertEqual(_xla_flops(jnp.matmul, a, b), 2 * 5 * 7 * 3)

  def test_a_batched_product_of_two_axes(self):
    count = jaxprs.flops(
      lambda a, b: jnp.einsum("bijk,bjkl->bil", a, b),
      _shape(4, 2, 3, 5),
      _shape(4, 3, 5, 6),
    )
    self.assertEqual(count, 2 * 4 * 2 * 3 * 5 * 6)

  def test_a_convolution(self):
    def convolve(image, kernel):
      return jax.lax.conv_general_dilated(
        image,
        kernel,
        (2, 2),
        "SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
      )

    count = jaxprs.flops(convolve, _shape(2, 8, 6, 3), _shape(3, 3, 3, 16))
    # 4 x 3 outputs, each a sum over 3 x 3 x 3 values for 16 channels.
    self.assertEqual(count, 2 * 2 * 4 * 3 * 16 * 27)

  def test_a_loop_counts_as_often_as_it_runs(self):
    def power(matrix):
      return jax.lax.scan(
        lambda x, _: (x @ matrix, None), matrix, None, length=10
      )[0]

    self.assertEqual(jaxprs.flops(power, _shape(8, 8)), 10 * 2 * 8**3)
    # XLA counts one iteration, and the loop's counter.
    self.assertLess(_xla_flops(power, _shape(8, 8)), 2 * 2 * 8**3)

  def test_the_most_expensive_branch_counts(self):
    def either(flag, x):
      return jax.lax.cond(flag, lambda x: x @ x @ x, lambda x: x @ x, x)

    self.assertEqual(
      jaxprs.flops(either, _shape(dtype=bool), _shape(4, 4)), 2 * 2 * 4**3
    )

  def test_a_gradient_adds_twice_as_much(self):
    def loss(weights, x):
      return jnp.sum(jnp.tanh(x @ weights))

    args = _shape(7, 3), _shape(5, 7)
    forward = 2 * 5 * 7 * 3
    self.assertEqual(jaxprs.flops(jax.grad(loss), *args), 2 * forward)
    self.assertEqual(jaxprs.flops(jax.grad(loss, (0, 1)), *args), 3 * forward)

  def test_recomputed_values_count_again(self):
    def loss(weights, x):
      return jnp.sum(jnp.tanh(x @ (weights @ weights)))

    args = _shape(7, 7), _shape(5, 7)
    inner, outer = 2 * 7 * 7 * 7, 2 * 5 * 7 * 7
    backward = 2 * inner + outer
    self.assertEqual(
      jaxprs.flops(jax.grad(loss), *args), inner + outer + backward
    )
    self.assertEqual(
      jaxprs.flops(jax.grad(jax.checkpoint(loss)), *args),
      2 * (inner + outer) + backward,
    )

  def test_other_operations_count_nothing(self):
    self.assertEqual(jaxprs.flops(lambda x: jnp.sum(jnp.sin(x)), _shape(9)), 0)


class BytesTest(absltest.TestCase):
  def test_array_bytes(self):
    tree = {"a": _shape(3, 4), "b": (_shape(2, dtype=jnp.int8),)}
    self.assertEqual(jaxprs.array_bytes(tree), 3 * 4 * 4 + 2)
    self.assertEqual(jaxprs.array_bytes(jnp.zeros([5], jnp.bfloat16)), 10)

  def test_values_count_until_their_last_use(self):
    def chain(x):  # At most two values at a time.
      for _ in range(5):
        x = jnp.sin(x)
      return x

    self.assertEqual(jaxprs.peak_bytes(chain, _shape(100)), 2 * 400)

    def fan(x):  # All five values live at the end.
      values = [jnp.sin(x) for _ in range(5)]
      return sum(values[1:], values[0])

    self.assertEqual(jaxprs.peak_bytes(fan, _shape(100)), 6 * 400)

  def test_a_loop_needs_its_body_once_and_its_stacked_outputs(self):
    def rounds(x):
      def body(x, _):
        return jnp.sin(jnp.cos(x)), x

      return jax.lax.scan(body, x, None, length=10)[1]

    # The stack of ten; the dropped result and a body's two values are smaller.
    self.assertEqual(
      jaxprs.peak_bytes(jax.jit(rounds), _shape(100)), 10 * 400 + 400
    )

  def test_is_at_least_what_xla_allocates(self):
    def loss(weights, x):
      for _ in range(4):
        x = jnp.tanh(x @ weights)
      return jnp.sum(x)

    args = _shape(64, 64), _shape(256, 64)
    compiled = jax.jit(jax.grad(loss)).lower(*args).compile()
    memory: Any = compiled.memory_analysis()
    taken = memory.temp_size_in_bytes
    bound = jaxprs.peak_bytes(jax.grad(loss), *args)
    self.assertGreaterEqual(bound, taken)
    self.assertLess(bound, 4 * taken)


if __name__ == "__main__":
  absltest.main()
