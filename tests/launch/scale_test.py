"""Tests of counting actors; scale_request_test has the command."""

from absl.testing import absltest

from adaland.launch import scale


class NumActorsTest(absltest.TestCase):
  def test_only_actors_that_have_answered_count(self):
    roles = {
      "actor 0": {"kind": "actor", "pid": 7},
      "actor 1": {"kind": "actor", "pid": 1},
      "actor 2": {"kind": "actor", "pid": 0},
      "learner": {"kind": "learner", "pid": 8},
    }
    self.assertEqual(scale.num_actors({"roles": roles}), 2)


if __name__ == "__main__":
  absltest.main()
