"""Tests of launch.bench: flags, dispatch, format of the results."""

import contextlib
import importlib.util
import io
import json
import os
import re

from absl.testing import absltest, parameterized

from adaland.launch.bench import __main__ as bench
from adaland.launch.bench import (
  actor,
  all_gpu,
  distributed,
  env,
  network,
  single,
  soak,
  train,
)
from adaland.launch.config import overrides, preset_configs
from adaland.launch.runtimes import env_vars


class BenchTest(parameterized.TestCase):
  def setUp(self):
    super().setUp()
    self.enter_context(absltest.mock.patch.dict(os.environ))
    self.enter_context(absltest.mock.patch.object(bench.dispatch, "run_inline"))

  def call(self, *argv):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
      code = bench.main(list(argv))
    return code, out.getvalue(), err.getvalue()

  @parameterized.parameters(
    (["envs"], "'envs' is not one of env, vision"),
    ([], "bench"),
    (["env", "--seconds=0"], "--seconds=0.0: allowed: above 0, to 600"),
    (["env", "--seconds=nan"], "--seconds=nan"),
    (["env", "--seconds=601"], "--seconds=601"),
    (["soak", "--minutes=0"], "--minutes=0.0: allowed: above 0, to 600"),
    (["env", "--launcher=ray"], "env: --launcher: 'ray' is not one of local"),
    (["soak", "--launcher=device"], "'device' is not one of local, ray"),
    (["env", "--num_envs=0"], "'0' is not a whole number from 1"),
    (["env", "--preset=lap"], "did you mean 'laptop'"),
    (["env", "--sec=3"], "unknown argument '--sec=3'"),
    (["train", "--launcher=slurm"], "not one of local, ray, device"),
    (["train", "--versus_local"], "--launcher=ray, not local"),
    (
      ["train", "--launcher=device", "--ample_actors"],
      "--launcher=local or ray, not device",
    ),
    (["env", "--ample_actors"], "env: --ample_actors is a flag of train"),
    (["actor", "--backend=gpu"], "--backend is a flag of env and vision"),
    (
      ["actor", "--num_envs=3"],
      "a flag of env, vision and device",
    ),
    (["env", "--minutes=10"], "env: --minutes is a flag of soak and device"),
    (["soak", "--seconds=5"], "is a flag of all but soak and kernels"),
    (["product", "--preset=laptop"], "--preset is a flag of all but product"),
    (["device", "--set", "run.seed=1"], "device: --set is a flag of all but"),
  )
  def test_bad_input_is_one_line(self, argv, message):
    code, out, err = self.call(*argv)
    self.assertEqual((code, out), (2, ""))
    self.assertIn(message, err)
    self.assertEqual(err.count("\n"), 1)

  def test_help_lists_all_benches(self):
    text = bench.make_parser().format_help()
    for name, entry in bench.BENCHES.items():
      self.assertRegex(text, rf"(?m)^  {name} +{re.escape(entry.help)}$")

  @parameterized.parameters(
    ("env", [], 128), ("env", ["--num_envs=3"], 3), ("vision", [], None)
  )
  def test_num_envs_sets_the_number_of_environments(
    self, what, flags, num_envs
  ):
    config = preset_configs.smoke()
    name = "env" if what == "env" else "pictures"
    with absltest.mock.patch.object(
      env, name, return_value={"a_ratio": 0.5, "b_steps_per_s": 1234.5}
    ) as measure:
      code, out, _ = self.call(what, "--preset=smoke", "--seconds=2", *flags)
    self.assertEqual(code, 0)
    measure.assert_called_once_with(
      config, num_envs or config.actor.envs_per_actor, 2.0
    )
    rows = [line.split() for line in out.splitlines()]
    self.assertEqual(rows, [["a_ratio", "0.500"], ["b_steps_per_s", "1,234"]])

  def test_benches_of_a_run_get_its_preset_and_settings(self):
    more = ["--preset=smoke", "--set", "run.seed=3"]
    config = overrides.apply(preset_configs.smoke(), ["run.seed=3"])
    settings = ["run.seed=3"]
    compared = ["--launcher=ray", "--versus_local"]
    in_turns = (config, "smoke", 5.0, "ray", settings, False, True)
    for module, name, flags, args in (
      (soak, "soak", ["--minutes=2"], ("smoke", "local", 2.0, settings)),
      (train, "train", compared, in_turns),
    ):
      with absltest.mock.patch.object(
        module, name, return_value={"x_mb": -0.1234}
      ) as measure:
        code, out, _ = self.call(name, *flags, *more)
      self.assertEqual((code, out.split()), (0, ["x_mb", "-0.123"]))
      measure.assert_called_once_with(*args)

  def test_a_missing_ray_is_reported_before_anything_is_measured(self):
    with (
      absltest.mock.patch.object(
        importlib.util, "find_spec", return_value=None
      ),
      absltest.mock.patch.object(train, "train") as measure,
    ):
      code, _, err = self.call("train", "--launcher=ray", "--preset=smoke")
    self.assertEqual(code, 2)
    self.assertIn("Ray is not installed", err)
    measure.assert_not_called()

  def test_json(self):
    result = {"learner_steps_per_s": 12.0}
    with absltest.mock.patch.object(
      network, "learner", return_value=result
    ) as measure:
      _, out, _ = self.call("learner", "--preset=smoke", "--json=-")
    self.assertEqual(json.loads(out), result)
    measure.assert_called_once_with(preset_configs.smoke(), 5.0, "local")

  @parameterized.parameters(
    ("learner", network, "learner", (5.0, "device")),
    ("actor", actor, "actor", (5.0, "device")),
    ("training", single, "training", (5.0,)),
  )
  def test_one_process_on_one_device(self, name, module, function, rest):
    flags = ("--preset=smoke", "--launcher=device")
    with absltest.mock.patch.object(
      module, function, return_value={}
    ) as measure:
      self.assertEqual(self.call(name, *flags)[0], 0)
    measure.assert_called_once_with(preset_configs.smoke(), *rest)

  @parameterized.parameters(
    ("replay", actor, "replay"),
    ("distributed", distributed, "sink"),
    ("acting", network, "acting"),
  )
  def test_one_process_on_the_processor(self, name, module, function):
    with absltest.mock.patch.object(
      module, function, return_value={}
    ) as measure:
      self.assertEqual(self.call(name, "--preset=smoke")[0], 0)
    measure.assert_called_once_with(preset_configs.smoke(), 5.0)

  def test_a_missing_part_is_a_failure_after_the_rest(self):
    result = {"a_ratio": 0.5, "gpu_env_missing_count": 1.0}
    with absltest.mock.patch.object(
      all_gpu, "device", return_value=result
    ) as measure:
      code, out, err = self.call("device", "--tiny", "--json=-", "--parts", "x")
    self.assertEqual(json.loads(out), result)
    self.assertEqual((code, err), (1, "error: bench device: without gpu_env\n"))
    measure.assert_called_once_with(2.0, None, True, 10.0, ["x"])

  def test_an_actor_is_measured_as_training_runs_it(self):
    wanted = env_vars.actor()
    with absltest.mock.patch.object(actor, "actor", return_value={}) as measure:
      self.call("actor", "--preset=smoke")
    measure.assert_called_once_with(preset_configs.smoke(), 5.0, "local")
    self.assertEqual({name: os.environ[name] for name in wanted}, wanted)


if __name__ == "__main__":
  absltest.main()
