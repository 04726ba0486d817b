"""Tests of document; checkpoint_test writes and reads files."""

import json

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from adaland.agent.checkpoint import document

_LEAVES = [["['w']", [3], "float32"]]
_GOOD = {
  "format": document.FORMAT,
  "leaves": _LEAVES,
  "run": {"x": {"__array__": "AAAAAA==", "dtype": "<f4", "shape": [1]}},
}


def _decode(**changes):
  return document.decode(json.dumps({**_GOOD, **changes}).encode())


def _array(**changes):
  return {"x": {**_GOOD["run"]["x"], **changes}}


class DecodeTest(parameterized.TestCase):
  def test_what_was_written(self):
    run = {"a": [1, None, "é"], "b": np.zeros((0, 3), np.int8), "c": [True]}
    text = document.encode(7, _LEAVES, run)
    leaves, back = document.decode(text.encode())
    self.assertEqual(leaves, _LEAVES)
    self.assertEqual(back["a"], run["a"])
    self.assertEqual(back["b"].shape, (0, 3))
    self.assertEqual(back["b"].dtype, np.int8)
    self.assertIs(back["c"][0], True)
    np.testing.assert_array_equal(_decode()[1]["x"], [np.float32(0)])

  def test_arrays_come_back_as_numpy_s_own_which_can_be_changed(self):
    text = document.encode(7, _LEAVES, {"x": (jnp.arange(3), 1)})
    [array, one] = document.decode(text.encode())[1]["x"]
    np.testing.assert_array_equal(array, np.arange(3, dtype=np.int32))
    array[1] = 9
    self.assertEqual(one, 1)

  def test_keys_that_json_would_turn_into_text_are_refused(self):
    with self.assertRaisesRegex(TypeError, "key 3 of a checkpoint: must be a"):
      document.encode(7, _LEAVES, {"plays": [{3: 1}]})

  @parameterized.parameters(
    ({"format": "other"}, "expected adaland.checkpoint/1"),
    ({"leaves": {}}, "'leaves'"),
    ({"leaves": [["w", 3, "float32"]]}, "'leaves'"),
    ({"leaves": [["w", [3]]]}, "'leaves'"),
    ({"run": []}, "'run'"),
    ({"run": _array(dtype="|O8")}, "dtype is unknown"),
    ({"run": _array(dtype="<f4,<f4")}, "dtype is unknown"),
    ({"run": _array(dtype=None)}, "array in it is broken"),
    ({"run": _array(shape=[-1])}, "shape is not a list"),
    ({"run": _array(shape=[2])}, "cannot reshape"),
    ({"run": _array(shape=[10**30])}, "array in it is broken"),
    ({"run": _array(shape=3)}, "array in it is broken"),
    ({"run": _array(__array__="AAA?")}, "array in it is broken"),
    ({"run": _array(__array__=3)}, "array in it is broken"),
  )
  def test_anything_else_is_refused(self, changes, message):
    with self.assertRaisesRegex(ValueError, message):
      _decode(**changes)

  @parameterized.parameters(
    b"", b"\xff", b"[]", b"[" * 100_000, b'{"format": 1e999}'
  )
  def test_other_texts_are_refused(self, data):
    with self.assertRaises(ValueError):
      document.decode(data)

  def test_a_run_nested_as_deep_as_json_allows_is_refused(self):
    # The JSON parser accepts deeper nesting than the code that builds the dict.
    for depth in range(100, 1000, 50):
      inner = "[" * depth + "]" * depth
      text = json.dumps({**_GOOD, "run": {"x": 1}}).replace("1}", inner + "}")
      try:
        document.decode(text.encode())
      except ValueError as error:
        self.assertRegex(str(error), "nested too deeply")


if __name__ == "__main__":
  absltest.main()
