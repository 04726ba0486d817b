"""Tests of launch.export, and that an agent can stand in for its run."""

import contextlib
import io
import json
import pathlib
import tempfile
from typing import Any

import jax
import numpy as np
from absl.testing import absltest

import adaland
from adaland.agent.checkpoint import weights
from adaland.launch import errors, export
from adaland.launch.agents import agent_dir
from adaland.launch.config import experiment, overrides
from adaland.launch.evaluation import trained_agent
from tests.launch.agents import examples
from tests.launch.evaluation.comparison import evaluations


def _call(*argv):
  """Runs the command; returns (code, stdout, stderr)."""
  out, err = io.StringIO(), io.StringIO()
  with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
    code = export.main(list(argv))
  return code, out.getvalue(), err.getvalue()


class ExportTest(absltest.TestCase):
  folder: pathlib.Path
  config: experiment.ExperimentConfig
  result: dict[str, Any]

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.folder = pathlib.Path(
      cls.enterClassContext(tempfile.TemporaryDirectory())
    )
    cls.config = examples.run(cls.folder / "run")
    params = trained_agent.load(str(cls.folder / "run")).params
    results = cls.folder / "results.json"
    for path, agent in (
      (results, weights.fingerprint(params)),
      (cls.folder / "random.json", None),
    ):
      content = evaluations.evaluation(taskset="test", agent_sha256=agent)
      path.write_text(json.dumps(content))
    code, out, err = _call(
      f"--workdir={cls.folder / 'run'}",
      f"--out={cls.folder / 'agent'}",
      "--hardware=2 cores",
      "--note=It learned nothing.",
      "--results",
      f"agent={results}",
      str(cls.folder / "random.json"),
      "--json=-",
    )
    assert code == 0, err
    cls.result = json.loads(out)

  def test_what_was_written(self):
    path = self.folder / "agent"
    self.assertEqual(self.result["out"], str(path))
    self.assertEqual(
      self.result["bytes"], sum(f.stat().st_size for f in path.iterdir())
    )
    text = (path / "README.md").read_text()
    for piece in (
      f"{self.result['parameters']:,} parameters",
      "| environment steps | 120 |",
      "| updates | 7 |",
      "| hardware | 2 cores |",
      "- It learned nothing.",
      "| agent | 0.50 [0.50, 0.50] | 1.00",
    ):
      self.assertIn(piece, text)
    self.assertEqual((path / "scores.png").read_bytes()[:4], b"\x89PNG")

  def test_run_and_agent_are_the_same_agent(self):
    loaded = [
      trained_agent.load(str(self.folder / name)) for name in ("run", "agent")
    ]
    for saved in loaded:
      self.assertEqual(saved.config, self.config)
      self.assertEqual(saved.training[:3], (120, 7, 61.5))
    jax.tree.map(np.testing.assert_array_equal, *(x.params for x in loaded))

  def test_an_agent_exported_again_keeps_its_hardware(self):
    out = self.folder / "again"
    code, _, err = _call(f"--workdir={self.folder / 'agent'}", f"--out={out}")
    self.assertEqual(code, 0, err)
    self.assertIn("| hardware | 2 cores |", (out / "README.md").read_text())
    self.assertEqual(agent_dir.read(out).training.hardware, "2 cores")

  def _other_agent(self, name, scale, **changes):
    """Writes an agent with scaled parameters; returns its directory."""
    saved = trained_agent.load(str(self.folder / "run"))
    config = overrides.update(saved.config, changes)
    params = jax.tree.map(lambda x: scale * x, saved.params)
    agent_dir.write(
      str(self.folder / name),
      agent_dir.Description(name, config, saved.training),
      params,
      "",
    )
    return self.folder / name

  def test_the_mean_of_several_agents(self):
    run, out = self.folder / "run", self.folder / "mean"
    others = [str(self._other_agent(f"times{x}", x)) for x in (2, 6)]
    code, _, err = _call(
      f"--workdir={run}", f"--out={out}", "--average", *others
    )
    self.assertEqual(code, 0, err)
    before, mean = (trained_agent.load(str(x)) for x in (run, out))
    jax.tree.map(
      lambda x, y: np.testing.assert_allclose(3 * x, y, rtol=1e-6),
      before.params,
      mean.params,
    )
    self.assertEqual(mean.training.averaged, ("times2", "times6"))
    self.assertEqual(mean.training[:3], before.training[:3])
    self.assertIn(
      "| parameters | the mean (arXiv 2203.05482) of those that the run ended "
      "with and those of `times2`, `times6` |\n| seed",
      (out / "README.md").read_text(),
    )
    # The mean of a mean tells of all.
    code, _, err = _call(
      f"--workdir={out}", f"--out={self.folder / 'again2'}",
      "--average", str(self._other_agent("times3", 3)),
    )  # fmt: skip
    self.assertEqual(code, 0, err)
    again = trained_agent.load(str(self.folder / "again2"))
    self.assertEqual(again.training.averaged, ("times2", "times6", "times3"))
    jax.tree.map(
      lambda x, y: np.testing.assert_allclose(3 * x, y, rtol=1e-6),
      before.params,
      again.params,
    )

  def test_a_sharper_policy(self):
    source, temperature = self.folder / "run", 1.0
    before = trained_agent.load(str(source))
    for name, factor in (("sharp", 0.5), ("sharper", 0.4)):
      out, temperature = self.folder / name, temperature * factor
      code, _, err = _call(
        f"--workdir={source}", f"--out={out}", f"--temperature={factor}"
      )
      self.assertEqual(code, 0, err)
      after = trained_agent.load(str(out))
      self.assertAlmostEqual(after.training.temperature, temperature)
      self.assertIn(
        f"| policy | logits divided by {temperature:g} after training |\n",
        (out / "README.md").read_text(),
      )
      for module, leaves in after.params.items():
        divided = temperature if "policy_output" in module else 1.0
        for x, y in zip(
          leaves.values(), before.params[module].values(), strict=True
        ):
          np.testing.assert_allclose(divided * x, y, rtol=1e-6)
      source = out

  def test_agents_without_a_mean(self):
    bins = {"learner.muesli.value_range": 7.0}
    for other, message in (
      ("none", "no such directory or agent"),
      ("agent:laptop", "its parameters "),
      (self._other_agent("bins", 1, **bins), "its learner.muesli.value_range"),
    ):
      code, text, err = _call(
        f"--workdir={self.folder / 'run'}", f"--out={self.folder / 'no'}",
        "--average", str(other),
      )  # fmt: skip
      self.assertEqual((code, text), (2, ""), err)
      self.assertEqual(err.count("\n"), 1, err)
      self.assertIn(f"--average={other}: {message}", err)
    self.assertFalse((self.folder / "no").exists())

  def test_a_public_agent(self):
    agent = adaland.load_agent(self.folder / "agent")
    self.assertEqual(
      agent.counters, {"env_steps": 120, "updates": 7, "seconds": 61.5}
    )

  def test_an_agent_of_other_observations_is_refused_in_one_line(self):
    copy = self.folder / "other"
    copy.mkdir()
    for file in (self.folder / "agent").iterdir():
      (copy / file.name).write_bytes(file.read_bytes())
    content = json.loads((copy / "agent.json").read_text())
    content["config"]["env"]["observation"] = "pixels"
    (copy / "agent.json").write_text(json.dumps(content))
    with self.assertRaisesRegex(errors.UserError, "is of another network"):
      trained_agent.load(str(copy))

  def test_code_that_an_agent_names_is_not_imported(self):
    copy = self.folder / "own"
    copy.mkdir()
    content = json.loads((self.folder / "agent" / "agent.json").read_text())
    content["config"]["factories"]["memory"] = "antigravity:memory"
    (copy / "agent.json").write_text(json.dumps(content))
    with self.assertRaisesRegex(
      errors.UserError, "names code to import .memory antigravity:memory"
    ):
      trained_agent.load(str(copy))

  def test_results_of_other_parameters_are_refused(self):
    run, results = self.folder / "run", self.folder / "known.json"
    params = trained_agent.load(str(run)).params
    rounded = weights.decode(weights.encode(params, half=True), params)
    own, half = map(weights.fingerprint, (params, rounded))
    self.assertNotEqual(own, half)

    def call(out, agent, *argv):
      results.write_text(json.dumps(evaluations.evaluation(agent_sha256=agent)))
      return _call(
        f"--workdir={run}", f"--out={self.folder / out}", "--results",
        f"agent={results}", *argv
      )  # fmt: skip

    for agent, argv, message in (
      ("f" * 64, [], "known.json is of other parameters, allowed: evaluations"),
      (None, [], "known.json has no agent_sha256, allowed first: evaluations"),
      (own, ["--half"], "export --half without --results, evaluate that dir"),
    ):
      code, text, err = call("refused", agent, *argv)
      self.assertEqual((code, text), (2, ""), err)
      self.assertEqual(err.count("\n"), 1, err)
      self.assertIn(message, err)
      self.assertFalse((self.folder / "refused").exists())
    for out, agent, argv in (("full", own, []), ("half", half, ["--half"])):
      code, _, err = call(out, agent, *argv)
      self.assertEqual(code, 0, err)
    # The weights read back are those that were hashed.
    read = trained_agent.load(str(self.folder / "half")).params
    self.assertEqual(weights.fingerprint(read), half)

  def test_bad_places(self):
    for workdir, out, message in (
      ("run", "agent", "exists; choose another name"),
      ("none", "new", "no such directory"),
      ("run", "no/new", "does not exist"),
    ):
      code, text, err = _call(
        f"--workdir={self.folder / workdir}", f"--out={self.folder / out}"
      )
      self.assertEqual((code, text), (2, ""), err)
      self.assertEqual(err.count("\n"), 1, err)
      self.assertIn(message, err)
    self.assertFalse((self.folder / "new").exists())


if __name__ == "__main__":
  absltest.main()
