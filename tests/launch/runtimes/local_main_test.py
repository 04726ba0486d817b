"""Tests of local_main; train_test starts it as a process."""

import contextlib
import io
import os

from absl.testing import absltest

from adaland.agent.replay import spec as spec_lib
from adaland.agent.replay.reverb import client
from adaland.launch import cli
from adaland.launch.config import presets
from adaland.launch.run import rundir
from adaland.launch.runtimes import local_actors, local_main


class ActorMainTest(absltest.TestCase):
  def setUp(self):
    super().setUp()
    self.workdir = self.create_tempdir().full_path + "/run"
    rundir.RunDir(self.workdir).begin(presets.smoke()).close()
    self.enter_context(
      absltest.mock.patch.dict(
        os.environ, {local_actors.KEY_VARIABLE: "ab" * 16}
      )
    )
    self.builder = self.enter_context(
      absltest.mock.patch.object(local_main, "builder")
    )
    self.control = self.enter_context(
      absltest.mock.patch.object(local_main, "socket_client")
    )

  def call(self, replay="", seed=5, index=1):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
      code = cli.main(
        local_main.make_parser,
        local_main.run,
        [
          f"--workdir={self.workdir}",
          "--control=@there",
          f"--replay={replay}",
          f"--index={index}",
          f"--seed={seed}",
        ],
      )
    return code, said.getvalue()

  def test_it_plays_the_run_s_config_over_the_control_channel(self):
    self.assertEqual(self.call(), (0, ""))
    key = bytes.fromhex("ab" * 16)
    config = presets.smoke()
    self.builder.agent.assert_called_once_with(config)
    self.control.Client.assert_called_once_with(
      "@there", key, config.actor.params_poll_seconds
    )
    self.builder.actor.return_value.run.assert_called_once()
    self.assertIs(
      self.builder.actor.call_args.args[2], self.control.Client.return_value
    )

  def test_each_thread_sends_unrolls_over_a_connection_of_its_own(self):
    self.call()
    make_writer = self.builder.actor.call_args.args[3]
    self.control.Sender.assert_not_called()
    one, another = make_writer(), make_writer()
    self.assertIsInstance(one, spec_lib.EncodedWriter)
    self.assertIsNot(one, another)
    sender = absltest.mock.call("@there", bytes.fromhex("ab" * 16))
    self.assertEqual(self.control.Sender.call_args_list, [sender, sender])

  def test_unrolls_go_to_the_replay_server_where_there_is_one(self):
    with absltest.mock.patch.object(client, "ReverbWriter") as writer:
      self.call("unix:/tmp/x/1")
      made = self.builder.actor.call_args.args[3]()
    writer.assert_called_once_with(
      "unix:/tmp/x/1",
      self.builder.unroll_spec.return_value,
      presets.smoke().replay.insert_timeout,
    )
    self.control.Sender.assert_not_called()
    self.assertIs(made, writer.return_value)

  def test_every_actor_and_every_start_draws_other_numbers(self):
    drawn = set()
    for seed, index, pid in ((5, 1, 7), (6, 1, 7), (5, 2, 7), (5, 1, 8)):
      with absltest.mock.patch.object(os, "getpid", return_value=pid):
        self.call(seed=seed, index=index)
      sequence = self.builder.actor.call_args.args[4]
      drawn.add(int(sequence.generate_state(1)[0]))
    self.assertLen(drawn, 4)

  def test_a_learner_that_goes_away_is_said_and_is_no_fault(self):
    actor = self.builder.actor.return_value
    actor.run.side_effect = ConnectionError("the learner went away")
    self.assertEqual(self.call(), (0, "the learner went away\n"))

  def test_flags_are_needed(self):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
      code = cli.main(local_main.make_parser, local_main.run, ["--workdir=x"])
    self.assertEqual(code, 2)
    self.assertIn("--control", said.getvalue())


if __name__ == "__main__":
  absltest.main()
