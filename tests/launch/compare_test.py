"""Tests of launch.compare."""

import contextlib
import io
import json
import pathlib

import numpy as np
from absl.testing import absltest

from adaland.launch import compare
from tests.launch.evaluation.comparison import evaluations


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = compare.main(list(argv))
  return code, out.getvalue(), err.getvalue()


class CompareTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    controls = {"swapped": {"trial_rewards": [[1.0, 1.0], [2.0, 2.0], [0, 0]]}}
    for name, content in (
      ("a", evaluations.evaluation(controls=controls)),
      ("b", evaluations.evaluation([(1, 0), (2, 0), (0, 0)])),
    ):
      (self.folder / f"{name}.json").write_text(json.dumps(content))

  def test_numbers_of_each_and_against_the_first(self):
    a, b = (str(self.folder / f"{name}.json") for name in "ab")
    code, out, err = _call(f"agent={a}", f"memoryless={b}", "--json=-")
    self.assertEqual(code, 0, err)
    result = json.loads(out)
    agent = result["policies"]["agent"]
    self.assertEqual(agent["mean"], [0.5, 1.0])
    self.assertEqual(agent["seeds"], 1)
    # Both tasks have the same scores, so no resample differs.
    self.assertEqual(agent["gain"], {"mean": 0.5, "low": 0.5, "high": 0.5})
    found = result["differences"]
    self.assertEqual(list(found), ["agent, swapped memory", "memoryless"])
    self.assertEqual(found["memoryless"]["mean"], [0.0, 1.0])
    self.assertEqual(found["memoryless"]["low"], [0.0, 1.0])
    self.assertEqual(found["memoryless"]["gain"]["high"], 1.0)
    self.assertEqual(found["agent, swapped memory"]["mean"], [0.0, 0.5])
    self.assertEqual((result["num_tasks"], result["num_scored"]), (3, 2))

  def test_of_many_trials_a_table_shows_some(self):
    path = self.folder / "many.json"
    rewards = [tuple(k / 10 for k in range(24))] * 3
    path.write_text(json.dumps(evaluations.evaluation(rewards)))
    _, out, _ = _call(str(path))
    head, _, row = out.splitlines()[:3]
    trials = [cell.strip() for cell in head.split("|")[2:-2]]
    self.assertEqual(
      trials, [f"trial {k}" for k in (1, 2, 3, 5, 8, 13, 21, 24)]
    )
    self.assertLen(row.split("|"), len(head.split("|")))

  def test_text_and_figure(self):
    picture = self.folder / "new.png"
    code, out, err = _call(
      str(self.folder / "a.json"), str(self.folder / "b.json"),
      f"--figure={picture}",
    )  # fmt: skip
    self.assertEqual(code, 0, err)
    self.assertIn("| a | 0.50 [0.50, 0.50] | 1.00 [1.00, 1.00] | 0.50 [", out)
    self.assertIn("| a minus | trial 1 | trial 2 | last - first |", out)
    self.assertIn("2 of 3 tasks", out)
    self.assertEqual(picture.read_bytes()[:4], b"\x89PNG")

  def test_unlike_experts_are_told(self):
    other = evaluations.evaluation(expert=(4.0, 4.0, 0.0))
    path = self.folder / "c.json"
    path.write_text(json.dumps(other))
    _, alike, _ = _call(str(self.folder / "a.json"))
    self.assertNotIn("differ", alike)
    _, out, _ = _call(str(self.folder / "a.json"), str(path))
    self.assertIn(", which differs between the files on 1 of them (", out)

  def test_a_picture_of_another_kind_is_refused_before_any_work(self):
    path = self.folder / "new.pdf"
    code, out, err = _call(str(self.folder / "none"), f"--figure={path}")
    self.assertEqual((code, out), (2, ""))
    self.assertIn("must end in .png", err)

  def test_an_agent_and_its_control_share_their_seeds(self):
    argv = []
    for i, (own, swapped) in enumerate(((0.5, 0.0), (1.5, 1.0))):
      rows = [[2 * swapped] * 2, [4 * swapped] * 2, [0, 0]]
      content = evaluations.evaluation(
        [(2 * own, 2 * own), (4 * own, 4 * own), (0, 0)],
        controls={"swapped": {"trial_rewards": rows}},
      )
      path = self.folder / f"s{i}.json"
      path.write_text(json.dumps(content))
      argv.append(f"agent={path}")
    code, out, err = _call(*argv, "--json=-")
    self.assertEqual(code, 0, err)
    # Each seed has the same difference, however different the seeds are.
    found = json.loads(out)["differences"]["agent, swapped memory"]
    for end in ("mean", "low", "high"):
      self.assertEqual(found[end], [0.5, 0.5])

  def test_two_evaluations_of_the_same_agents_share_their_seeds(self):
    def files(name, agents, prompted):
      for i, agent in enumerate(agents):
        own = ord(agent) % 3 / 4
        content = evaluations.evaluation(
          [(2 * own,) * 2, (4 * own,) * 2, (0, 0)], agent_sha256=agent
        )
        if prompted:
          content |= {"prompted": {}, "unprompted": {}}
          for task in content["tasks"]:
            task["unprompted"] = task.pop("trial_rewards")
            task["prompted"] = [task["expert"] * (own + 0.25)] * 2
        path = self.folder / f"{name}{i}.json"
        path.write_text(json.dumps(content))
        yield f"{name}={path}"

    def difference(*specs):
      code, out, err = _call(*specs, "--json=-")
      self.assertEqual(code, 0, err)
      return json.loads(out)["differences"]["p, prompted"]

    alone = [*files("a", "cde", prompted=False)]
    found = difference(*alone, *files("p", "edc", prompted=True))
    for end in ("mean", "low", "high"):
      self.assertEqual(found[end], [-0.25, -0.25])
    # Other agents' seeds are drawn independently.
    found = difference(*alone, *files("p", "fgh", prompted=True))
    self.assertEqual(found["mean"], [-0.25, -0.25])
    self.assertLess(found["low"][0], -0.3)

  def test_seeds_widen_the_interval(self):
    spread = [
      evaluations.evaluation([(x, x), (2 * x, 2 * x), (0, 0)])
      for x in (0.0, 2.0)
    ]
    argv = []
    for i, content in enumerate(spread):
      path = self.folder / f"s{i}.json"
      path.write_text(json.dumps(content))
      argv.append(f"agent={path}")
    code, out, err = _call(*argv, "--json=-")
    self.assertEqual(code, 0, err)
    agent = json.loads(out)["policies"]["agent"]
    np.testing.assert_array_equal(agent["mean"], [0.5, 0.5])
    np.testing.assert_array_equal(agent["low"], [0, 0])
    np.testing.assert_array_equal(agent["high"], [1, 1])


if __name__ == "__main__":
  absltest.main()
