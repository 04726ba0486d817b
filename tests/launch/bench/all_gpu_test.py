"""Tests of adaland.launch.bench.all_gpu: its parts, and failures of one."""

import contextlib
import io
import unittest

from absl.testing import absltest, parameterized

from adaland.launch import errors
from adaland.launch.bench import all_gpu
from adaland.launch.bench.lib import subprocess_json
from adaland.launch.config import overrides, preset_configs
from adaland.launch.runtimes.single import memory_check
from tests.envs.physics import backends

_GB = 10**9


class PartsTest(parameterized.TestCase):
  @parameterized.parameters(True, False)
  def test_settings_make_configs(self, tiny):
    names = set()
    for part in all_gpu.parts(1.0, None, tiny):
      names.add(part.name)
      if part.bench == "product":
        continue
      [preset] = [f for f in part.flags if f.startswith("--preset=")]
      settings = part.flags[part.flags.index("--set") + 1 :]
      config = overrides.apply(preset_configs.get(preset[9:]), settings)
      self.assertEqual(config.env.backend, "gpu")
      self.assertEqual(config.actor.num_actors, 1)
    if tiny:
      return
    self.assertEqual(
      names,
      {
        "product",
        *(
          f"{preset}_{what}"
          for preset in ("gpu", "ada_23m")
          for what in ("acting", "learner", "actor", "training")
        ),
        "gpu_env",
        "gpu_vision",
      },
    )

  def test_one_flag_changes_all_numbers_of_environments(self):
    for part in all_gpu.parts(1.0, 77, tiny=False)[1:]:
      self.assertIn("actor.envs_per_actor=77", part.flags)

  @parameterized.parameters("gpu", "ada_23m")
  def test_chosen_sizes_fit_into_80_gb(self, name):
    [preset] = [p for p in all_gpu._PRESETS if p.name == name]
    settings = [
      f"actor.envs_per_actor={preset.num_envs}",
      *all_gpu._TRAINING,
      *preset.settings,
    ]
    config = overrides.apply(preset_configs.get(name), settings)
    total = sum(memory_check.bytes_needed(config, workspaces=False).values())
    # A quarter of JAX's share is left for intermediate values.
    self.assertLess(total, 0.75 * config.device.memory_fraction * 80 * _GB)


class _Processes:
  """A stand-in for `subprocess_json.Process`; `ends` says how commands end."""

  def __init__(self, **ends):
    self.ends = ends
    self.begun = []

  def __call__(self, module, what, *flags, env):
    assert module == "adaland.launch.bench"
    self.begun.append(what)
    return self

  def wait(self, seconds):
    end = self.ends.get(self.begun[-1], {f"{self.begun[-1]}_ratio": 0.5})
    if isinstance(end, str):
      return subprocess_json.Done({}, end)
    return subprocess_json.Done(end, "")

  def kill(self):
    self.begun.append("killed")


@unittest.skipIf(backends.NO_GPU_BACKEND, backends.NO_GPU_BACKEND)
class DeviceTest(absltest.TestCase):
  def measure(self, processes, minutes=10.0, only=()):
    err = io.StringIO()
    with (
      absltest.mock.patch.object(subprocess_json, "Process", processes),
      contextlib.redirect_stderr(err),
    ):
      result = all_gpu.device(1.0, None, True, minutes, only)
    return result, err.getvalue()

  def test_all_parts_one_after_the_other(self):
    stages = {"actor_steps_per_s": 2.0, "actor_steps_per_cpu_s": 2.0}
    stages |= {"actor_acting_flop_per_step": 1e9}
    learner = {"learner_steps_per_s": 2.0, "learner_steps_per_cpu_s": 2.0}
    learner |= {"learner_flop_per_step": 1e9}
    learner |= {"learner_product_tflop_per_s": 1.0}
    training = {"train_steps_per_s": 0.5, "train_accelerators_count": 1.0}
    training |= {"train_replayed_ratio": 1.0}
    processes = _Processes(actor=stages, learner=learner, training=training)
    result, err = self.measure(processes)
    self.assertEqual(
      processes.begun,
      [
        "kernels",
        "product",
        "acting",
        "learner",
        "env",
        "actor",
        "training",
        "vision",
      ],
    )
    self.assertEqual(result["device_missing_count"], 0)
    self.assertEqual(result["smoke_env_ratio"], 0.5)
    self.assertEqual(result["smoke_train_ratio"], 0.5)  # Of 1 per second.
    self.assertIn("device: smoke_env: 0 s\n", err)
    all_gpu.check(result)

  def test_a_part_that_fails_leaves_the_others(self):
    processes = _Processes(learner="no room: lower this", env="broke")
    result, err = self.measure(processes)
    self.assertEqual(result["device_missing_count"], 2)
    self.assertEqual(result["smoke_learner_missing_count"], 1)
    self.assertNotIn("smoke_vision_missing_count", result)
    self.assertEqual(result["smoke_training_ratio"], 0.5)
    self.assertNotIn("smoke_train_ratio", result)
    self.assertIn(
      "device: smoke_learner is missing: no room: lower this\n", err
    )
    with self.assertRaisesRegex(
      errors.RunError, "without smoke_learner, smoke_env$"
    ):
      all_gpu.check(result)

  def test_without_time_left_no_part_starts(self):
    processes = _Processes()
    result, err = self.measure(processes, minutes=0.01)
    self.assertEqual(set(processes.begun), {"kernels"})
    self.assertEqual(result["device_missing_count"], 7)
    self.assertIn("smoke_env is missing: there is no time left", err)

  def test_single_parts(self):
    processes = _Processes()
    self.measure(processes, only=["product"])
    self.assertEqual(processes.begun, ["product"])
    with self.assertRaisesRegex(errors.UserError, "did you mean 'smoke_env'"):
      self.measure(processes, only=["smok_env"])


class WithoutDeviceTest(absltest.TestCase):
  def test_a_missing_device_is_reported_before_anything_starts(self):
    with absltest.mock.patch.object(subprocess_json, "Process") as begin:
      with (
        absltest.mock.patch.object(
          all_gpu.backends, "has_cuda", return_value=False
        ),
        self.assertRaisesRegex(
          errors.UserError, "no CUDA device|pip install mujoco-warp"
        ),
      ):
        all_gpu.device(1.0, None, False, 10.0)
      with (
        absltest.mock.patch("importlib.util.find_spec", return_value=None),
        self.assertRaisesRegex(
          errors.UserError, "pip install mujoco-warp==4.0.0"
        ),
      ):
        all_gpu.device(1.0, None, True, 10.0)
    begin.assert_not_called()


if __name__ == "__main__":
  absltest.main()
