"""Tests of adaland.agent.replay.spec."""

import functools
import json
import time

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.replay.spec import EncodedWriter, UnrollSpec
from tests.agent.replay import examples


def _assert_same(one, other):
  # Strictly: otherwise a scalar would equal a vector of one number.
  jax.tree_util.tree_map(
    functools.partial(np.testing.assert_array_equal, strict=True), one, other
  )


class UnrollSpecTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.unroll = examples.unroll(3)
    self.spec = UnrollSpec.from_unroll(self.unroll)

  def test_columns_are_named_as_one_would_write_them(self):
    columns = {column.name: str(column) for column in self.spec.columns}
    self.assertEqual(columns["observation['goal']"], "int32[5, 6]")
    self.assertEqual(columns["initial_memory[0]"], "float16[2, 8]")
    self.assertEqual(columns["params_version"], "int64[]")
    self.assertLen(columns, 10)
    # NumPy's own types are stored as they are.
    for column in self.spec.columns:
      self.assertEqual(column.wire_dtype, np.dtype(column.dtype))

  def test_num_bytes_is_the_sum_of_the_arrays(self):
    leaves = jax.tree_util.tree_leaves(self.unroll)
    self.assertEqual(self.spec.num_bytes, sum(leaf.nbytes for leaf in leaves))

  def test_unflatten_inverts_flatten(self):
    _assert_same(
      self.spec.unflatten(self.spec.flatten(self.unroll)), self.unroll
    )

  def test_flatten_takes_views_and_strided_arrays_and_jax_arrays(self):
    wide = np.zeros((5, 12), np.int8)
    wide[:, ::2] = self.unroll.action
    strided = self.unroll._replace(
      action=wide[:, ::2], reward=jnp.asarray(self.unroll.reward)
    )
    _assert_same(self.spec.unflatten(self.spec.flatten(strided)), self.unroll)
    flat = self.spec.flatten(self.unroll)
    self.assertTrue(any(np.shares_memory(a, self.unroll.reward) for a in flat))

  def test_stack_adds_the_batch_dimension(self):
    other = examples.unroll(4)
    batch = self.spec.stack(
      [self.spec.flatten(self.unroll), self.spec.flatten(other)]
    )
    self.assertEqual(batch.observation["goal"].shape, (2, 5, 6))
    _assert_same(jax.tree_util.tree_map(lambda x: x[1], batch), other)

  def test_bfloat16_travels_as_its_bits(self):
    memory = jnp.asarray([1.5, -2.25], jnp.bfloat16)
    unroll = self.unroll._replace(initial_memory={"h": memory})
    spec = UnrollSpec.from_unroll(unroll)
    flat = spec.flatten(unroll)
    self.assertIn(np.dtype(np.uint16), [array.dtype for array in flat])
    _assert_same(spec.unflatten(flat), unroll)
    _assert_same(spec.unflatten(spec.decode(spec.encode(unroll))), unroll)

  def test_decode_inverts_encode(self):
    arrays = self.spec.decode(self.spec.encode(self.unroll))
    _assert_same(self.spec.unflatten(arrays), self.unroll)

  @parameterized.named_parameters(
    ("shape", {"reward": np.zeros(6, np.float32)}, r"reward is float32\[6\]"),
    ("dtype", {"reward": np.zeros(5)}, r"reward is float64\[5\]"),
    (
      "missing",
      {"observation": {"goal": 0}},
      r"observation\['entities'\] is m",
    ),
    ("unknown", {"initial_memory": (0, {"x": 0})}, r"\[1\]\['x'\] of the unr"),
  )
  def test_flatten_names_the_field_that_does_not_fit(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      self.spec.flatten(self.unroll._replace(**change))

  def test_what_is_no_array_of_numbers_is_refused_by_name(self):
    for array, dtype in (
      (np.array([None]), "object"),
      (np.array(["text"]), "<U4"),
      (np.zeros(5, [("a", np.int8)]), r"\[\('a', 'i1'\)\]"),
    ):
      with self.assertRaisesRegex(ValueError, f"Field reward is {dtype}"):
        UnrollSpec.from_unroll(self.unroll._replace(reward=array))

  @parameterized.parameters("{", "3", "[1]", '[["a", 3]]', "[" * 100_000)
  def test_check_columns_refuses_other_texts(self, text):
    with self.assertRaisesRegex(ValueError, "fields of the other can't be"):
      self.spec.check_columns(text, "the other")

  @parameterized.named_parameters(
    ("shape", {"reward": np.zeros(6, np.float32)}, r"reward is .* but f.*\[6"),
    (
      "renamed",
      {"observation": {"goal": 0, "x": 0}},
      r"\['entities'\] .* unkn",
    ),
    ("more", {"initial_memory": (np.zeros((2, 8), np.float16), 1)}, "missing"),
  )
  def test_check_columns_names_the_first_difference(self, change, message):
    other = UnrollSpec.from_unroll(self.unroll._replace(**change))
    self.assertNotEqual(other.signature, self.spec.signature)
    with self.assertRaisesRegex(ValueError, message):
      self.spec.check_columns(other.to_json(), "the other")

  def test_check_columns_knows_the_order(self):
    other = json.dumps(json.loads(self.spec.to_json())[::-1])
    with self.assertRaisesRegex(ValueError, "the other are in another order"):
      self.spec.check_columns(other, "the other")

  def test_flatten_tells_trees_with_equal_fields_apart(self):
    memory = list(self.unroll.initial_memory)
    with self.assertRaisesRegex(ValueError, "fields of replay in another tree"):
      self.spec.flatten(self.unroll._replace(initial_memory=memory))

  def test_check_columns_accepts_its_own(self):
    again = UnrollSpec.from_unroll(examples.unroll(9))
    self.assertEqual(again.signature, self.spec.signature)
    again.check_columns(self.spec.to_json(), "the other")

  def test_decode_refuses_foreign_and_cut_bytes(self):
    data = self.spec.encode(self.unroll)
    longer = UnrollSpec.from_unroll(examples.unroll(3, length=6))
    with self.assertRaisesRegex(ValueError, "other fields, shapes or dtypes"):
      longer.decode(data)
    with self.assertRaisesRegex(ValueError, "ended within field params_vers"):
      self.spec.decode(data[:-1])
    with self.assertRaisesRegex(ValueError, "not an unroll"):
      self.spec.decode(bytes(100))
    for length in (0, 1, 23):
      with self.assertRaisesRegex(ValueError, f"{length} bytes has no header"):
        self.spec.decode(data[:length])

  def test_encoding_is_faster_than_a_disk(self):
    unroll = self.unroll._replace(
      observation={"pixels": np.zeros((180, 24, 18, 3), np.uint8)}
    )
    spec = UnrollSpec.from_unroll(unroll)
    best = 1e9
    for _ in range(30):
      start = time.perf_counter()
      spec.decode(spec.encode(unroll))
      best = min(best, time.perf_counter() - start)
    self.assertGreater(spec.num_bytes / best, 300e6)


class EncodedWriterTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.spec = UnrollSpec.from_unroll(examples.unroll())

  def test_the_channel_carries_unrolls(self):
    sent = []
    writer = EncodedWriter(self.spec, sent.append)
    writer.insert(examples.unroll(1))
    writer.insert(examples.unroll(2))
    writer.close()
    for data, number in zip(sent, (1, 2), strict=True):
      self.assertIsInstance(data, bytes)
      arrays = self.spec.decode(data)
      self.assertEqual(self.spec.unflatten(arrays).params_version, number)
      for array, expected in zip(
        arrays, self.spec.flatten(examples.unroll(number)), strict=True
      ):
        np.testing.assert_array_equal(array, expected)

  def test_another_unroll_is_not_sent(self):
    sent = []
    writer = EncodedWriter(self.spec, sent.append)
    wrong = examples.unroll()._replace(mask=np.ones(4, np.uint8))
    with self.assertRaisesRegex(ValueError, r"Field mask is uint8\[4\]"):
      writer.insert(wrong)
    self.assertEmpty(sent)

  def test_the_caller_hears_of_a_channel_that_takes_nothing(self):
    def send(data):
      raise TimeoutError("full")

    with self.assertRaisesRegex(TimeoutError, "full"):
      EncodedWriter(self.spec, send).insert(examples.unroll())


if __name__ == "__main__":
  absltest.main()
