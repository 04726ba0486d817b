"""Tests of adaland.launch.config.json_codec."""

import json

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.config import json_codec
from tests.launch.configs import Inner, Outer


class ConfigJsonTest(parameterized.TestCase):
  def test_round_trip_through_text(self):
    config = Outer(Inner(7, 1e-9, "bcd", 4), "run", True, (8, 9), ("only",))
    text = json.dumps(json_codec.to_json(config))
    self.assertEqual(json_codec.from_json(Outer, json.loads(text)), config)

  def test_missing_keys_keep_defaults_and_ints_serve_as_floats(self):
    config = json_codec.from_json(Outer, {"inner": {"rate": 2}})
    self.assertEqual(config, Outer(Inner(rate=2.0)))
    self.assertIsInstance(config.inner.rate, float)

  @parameterized.parameters(
    ({"inner": {"sise": 1}}, r"inner\.sise.*did you mean 'size'"),
    ({"inner": {"size": 1.5}}, r"inner\.size: 1\.5 .* whole number"),
    ({"inner": {"size": True}}, r"inner\.size: True .* whole number"),
    ({"inner": {"size": 0}}, r"inner\.size is 0; .* at least 1"),
    ({"inner": {"rate": "a"}}, r"inner\.rate: 'a' is not a finite number"),
    ({"inner": {"rate": float("nan")}}, r"inner\.rate: nan"),
    ({"inner": {"kind": "bcde"}}, r"inner\.kind.*did you mean 'bcd'"),
    ({"inner": {"limit": "x"}}, r"inner\.limit: 'x'"),
    ({"inner": {"rate": 10**400}}, r"inner\.rate: 10.* finite number"),
    ({"inner": {"size": 2**63}}, r"inner\.size: .* up to 9223372036854775807"),
    ({"inner": {"size": 9999 * [1]}}, r"size: \[1, .{,30}\] is not a whole"),
    ({"name": "\ud800"}, r"name: '\\ud800' is not a string of printable"),
    ({9999 * "x": 1}, r"x\.\.\.: no such field"),
    ({"inner": 3}, r"inner: 3 is not an object"),
    ({"flag": 1}, r"flag: 1 is not true or false"),
    ({"pair": [1]}, r"pair: \[1\] is not a list of 2"),
    ({"pair": [1, "b"]}, r"pair\[1\]: 'b' is not a whole number"),
    ({"words": "pq"}, r"words: 'pq' is not a list"),
  )
  def test_refuses(self, obj, message):
    with self.assertRaisesRegex(errors.UserError, message):
      json_codec.from_json(Outer, obj)

  def test_differences_name_the_fields(self):
    a = json_codec.to_json(Outer())
    b = json_codec.to_json(Outer(Inner(size=5), name="y"))
    self.assertEqual(
      json_codec.differences(a, b),
      ["inner.size: 3, not 5", "name: 'x', not 'y'"],
    )
    self.assertEqual(json_codec.differences(a, a), [])


if __name__ == "__main__":
  absltest.main()
