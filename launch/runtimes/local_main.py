"""An actor's process, started by the local runtime."""

import os
import signal
import sys
import threading

import numpy as np

from adaland.agent.replay import base
from adaland.agent.replay import spec as spec_lib
from adaland.launch import builder, cli
from adaland.launch.config import experiment as config
from adaland.launch.config import json_codec
from adaland.launch.run import rundir
from adaland.launch.runtimes import children, local_actors, socket_client


def make_parser() -> cli.Parser:
  """Flags, all set by `actors.start`."""
  parser = cli.Parser(prog="adaland.launch.runtimes.local_main")
  parser.add_argument("--workdir", required=True)
  parser.add_argument("--control", required=True)
  parser.add_argument("--replay", required=True)
  parser.add_argument("--index", type=cli.non_negative_int, required=True)
  parser.add_argument("--seed", type=cli.non_negative_int, required=True)
  return parser


def run(args) -> None:
  """Plays until the learner goes away."""
  # There is nothing to put in order: asked to end, it ends at once.
  signal.signal(signal.SIGTERM, signal.SIG_DFL)
  experiment = json_codec.from_json(
    config.ExperimentConfig, rundir.RunDir(args.workdir).read_config()
  )
  key = bytes.fromhex(os.environ[local_actors.KEY_VARIABLE])
  made = builder.agent(experiment)
  spec = builder.unroll_spec(experiment, made)

  def make_writer() -> base.ReplayWriter:
    if args.replay:
      from adaland.agent.replay.reverb import client

      return client.ReverbWriter(
        args.replay, spec, experiment.replay.insert_timeout
      )
    return spec_lib.EncodedWriter(spec, socket_client.Sender(args.control, key))

  channel = socket_client.Client(
    args.control, key, experiment.actor.params_poll_seconds
  )
  # The process id makes a restarted actor draw other numbers.
  seed = np.random.SeedSequence(
    (experiment.run.seed, args.seed, args.index, os.getpid())
  )
  actor = builder.actor(experiment, made, channel, make_writer, seed)
  try:
    actor.run(threading.Event())
  except ConnectionError as error:
    cli.say(str(error))


if __name__ == "__main__":
  children.die_with_parent()
  sys.exit(cli.main(make_parser, run))
