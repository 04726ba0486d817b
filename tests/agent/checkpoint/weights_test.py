"""Tests of adaland.agent.checkpoint.weights; the fuzz test damages files."""

import json
import pathlib
from typing import Any
from unittest import mock

import jax
import numpy as np
import safetensors.numpy
from absl.testing import absltest, parameterized

from adaland.agent.checkpoint import weights

_PARAMS: Any = {
  "net/~/linear": {
    "w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.float32(4.5),
  },
  "head": {"w": np.zeros((0, 2), np.float32)},
}


def _leaves(params):
  return {f"{m}/{n}": x for m, part in params.items() for n, x in part.items()}


class WeightsTest(parameterized.TestCase):
  def test_round_trip(self):
    path = pathlib.Path(self.create_tempdir().full_path, "w")
    path.write_bytes(weights.encode(_PARAMS))
    found: Any = weights.read(path, _PARAMS)
    self.assertEqual(set(_leaves(found)), set(_leaves(_PARAMS)))
    for name, array in _leaves(_PARAMS).items():
      np.testing.assert_array_equal(_leaves(found)[name], array)
      self.assertEqual(_leaves(found)[name].dtype, np.float32)

  def test_halves_are_rounded_once_and_read_as_float32(self):
    params = {"a": {"w": np.array([1 / 3, -2.0, 1e-9], np.float32)}}
    data = weights.encode(params, half=True)
    self.assertLess(len(data), len(weights.encode(params)))
    found: Any = weights.decode(data, params)
    # 11 significant bits: the steps between 1/4 and 1/2 are 2^-12.
    np.testing.assert_array_equal(
      found["a"]["w"], np.array([1365 / 4096, -2, 0], np.float32)
    )
    self.assertEqual(found["a"]["w"].dtype, np.float32)
    self.assertEqual(weights.encode(found, half=True), data)
    params["a"]["w"][0] = 7e4
    with self.assertRaisesRegex(ValueError, "a/w has numbers above 65504"):
      weights.encode(params, half=True)
    params["a"]["w"][0] = np.nan
    with self.assertRaisesRegex(ValueError, "a/w has numbers that are not fin"):
      weights.encode(params, half=True)

  def test_only_float32_is_halved(self):
    params: Any = {"a": np.array([70_000], np.int32), "b": np.array([0.1])}
    found: Any = weights.decode(weights.encode(params, half=True), params)
    for name, array in params.items():
      np.testing.assert_array_equal(found[name], array, strict=True)

  def test_numbers_that_are_not_finite_are_named(self):
    weights.check_finite(_PARAMS)
    params = {"a": {"w": np.zeros(2), "x": np.array([1.0, -np.inf])}}
    with self.assertRaisesRegex(ValueError, "a/x has numbers that are not fin"):
      weights.check_finite(params)

  def test_parameters_are_known_by_their_fingerprint(self):
    first = weights.fingerprint(_PARAMS)
    self.assertLen(first, 64)
    # Less than float16 tells apart.
    changed = jax.tree.map(lambda x: x * np.float32(1 + 1e-6), _PARAMS)
    self.assertNotEqual(weights.fingerprint(changed), first)

  def test_the_file_is_safetensors_by_name(self):
    arrays = safetensors.numpy.load(weights.encode(_PARAMS))
    self.assertEqual(
      sorted(arrays), ["head/w", "net/~/linear/b", "net/~/linear/w"]
    )

  @parameterized.parameters(
    ({"a": np.ones(2, np.float32)}, "of another network: it lacks 'b'"),
    (
      {"a": np.ones(2, np.float32), "b": np.ones(1), "c": np.ones(1)},
      "of another network: it has 'c'; it has 3 arrays, allowed: the 2",
    ),
    (
      {"a": np.ones(3, np.float32), "b": np.ones(1)},
      r"a is float32\[3\], allowed: float32\[2\]",
    ),
    (
      {"a": np.ones(2, np.int32), "b": np.ones(1)},
      r"a is int32\[2\], allowed: float32\[2\]",
    ),
    (
      {"a": np.array([1, np.nan], np.float32), "b": np.ones(1)},
      "a has numbers that are not finite",
    ),
  )
  def test_other_networks_are_refused(self, arrays, message):
    template: Any = {"a": np.zeros(2, np.float32), "b": np.zeros(1)}
    with self.assertRaisesRegex(ValueError, message):
      weights.decode(safetensors.numpy.save(arrays), template)

  @parameterized.parameters(0, 7, 8, 40, -1)
  def test_a_file_that_was_cut_is_refused(self, length):
    data = weights.encode(_PARAMS)[:length]
    with self.assertRaisesRegex(ValueError, "is no file of safetensors"):
      weights.decode(data, _PARAMS)

  def test_a_type_that_numpy_lacks_is_refused(self):
    header = json.dumps(
      {"a": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}
    ).encode()
    data = len(header).to_bytes(8, "little") + header + b"\0"
    with self.assertRaisesRegex(ValueError, "is no file of safetensors"):
      weights.decode(data, _PARAMS)

  def test_the_largest_file_that_is_allowed_is_read(self):
    path = pathlib.Path(self.create_tempdir().full_path, "w")
    data = weights.encode(_PARAMS)
    path.write_bytes(data)
    header = len(data) - sum(x.nbytes for x in _leaves(_PARAMS).values())
    with mock.patch.object(weights, "_MAX_HEADER", header):
      weights.read(path, _PARAMS)
    with (
      mock.patch.object(weights, "_MAX_HEADER", header - 1),
      self.assertRaisesRegex(ValueError, "is larger than"),
    ):
      weights.read(path, _PARAMS)

  def test_a_file_too_large_is_not_read_whole(self):
    path = pathlib.Path(self.create_tempdir().full_path, "w")
    with open(path, "wb") as file:
      file.truncate(10**12)
    with self.assertRaisesRegex(ValueError, "is larger than 1000028 bytes"):
      weights.read(path, _PARAMS)


if __name__ == "__main__":
  absltest.main()
