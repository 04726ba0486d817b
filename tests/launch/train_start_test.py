"""Tests of what launch.train does before a run starts."""

import os
import signal
import sys
import threading
from unittest import mock

import jax
from absl.testing import absltest

from adaland.launch import errors, output, train
from adaland.launch.config import overrides, preset_configs
from adaland.launch.recipes import extensions, presets
from adaland.launch.run import cores, rundir, scale_request, status_file
from adaland.launch.runtimes.single import preflight


class EarlierStartTest(absltest.TestCase):
  def test_a_run_forgets_what_its_earlier_start_was_asked_for(self):
    config = overrides.apply(preset_configs.smoke(), ["run.eval_tasks=0"])
    run = rundir.RunDir(os.path.join(self.create_tempdir().full_path, "run"))
    run.begin(config)
    role = status_file.RoleStatus("actor 0", "actor", 7, "", 1.0, 0, 0.5, {})
    status_file.write(run, "ray", "ended", {"updates": 7.0}, {}, [role])
    scale_request.request(run, 9)

    def make(config, directory, launcher, ray_address):
      self.assertIsNone(scale_request.take(directory, config))
      found = status_file.read(directory)
      self.assertEqual(found["launcher"], "local")
      self.assertEqual((found["state"], found["roles"]), ("starting", {}))
      return mock.Mock()

    with mock.patch.object(train, "_make_trainer", make):
      train.train_and_evaluate(config, str(run.path))


class SetUpTest(absltest.TestCase):
  """Tests of the settings that JAX reads if a check starts it."""

  def _seen(self, launcher):
    """Returns the settings during the checks of a run that is refused."""
    seen = []
    update = self.enter_context(mock.patch.object(jax.config, "update"))

    def check(config):
      del config
      memory = os.environ.get(preflight.MEMORY_VARIABLE)
      seen.append((os.environ.get("NPROC"), memory, update.call_args))
      raise errors.UserError("refused")

    made = presets.smoke(
      {"device.memory_fraction": 0.25, "actor.num_actors": 1},
      memory="own:memory",
    )
    with (
      mock.patch.dict(os.environ),
      mock.patch.object(extensions, "check", check),
    ):
      os.environ.pop("NPROC", None)
      os.environ.pop(preflight.MEMORY_VARIABLE, None)
      before = dict(os.environ)
      with self.assertRaisesRegex(errors.UserError, "refused"):
        train.train_and_evaluate(made.resolved(), "no-run", launcher)
      if launcher == "local":
        self.assertEqual(dict(os.environ), before)
    return seen

  def test_local(self):
    with mock.patch.object(cores, "num_cores", return_value=3):
      self.assertEqual(self._seen("local"), [("2", None, None)])

  def test_device(self):
    [(_, memory, updated)] = self._seen("device")
    self.assertEqual(memory, "0.25")
    self.assertEqual(updated, mock.call("jax_cpu_enable_async_dispatch", False))


class SignalTest(absltest.TestCase):
  def test_a_signal_during_a_message_stops_the_run(self):
    reader, writer = os.pipe()
    stopped = threading.Event()
    # More than the pipe holds, so that the signal comes while it is written.
    text = "x" * 1_000_000

    def read():
      os.read(reader, 1)
      os.kill(os.getpid(), signal.SIGINT)
      stopped.wait(10.0)
      with os.fdopen(reader, "rb") as rest:
        rest.read()

    thread = threading.Thread(target=read)
    with (
      os.fdopen(writer, "w") as stderr,
      mock.patch.object(sys, "stderr", stderr),
      train.stopping_on_signals(stopped.set),
    ):
      thread.start()
      output.say(text)
    thread.join()
    self.assertTrue(stopped.is_set())


if __name__ == "__main__":
  absltest.main()
