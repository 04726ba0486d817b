"""Measures how fast each part runs on this machine."""

import argparse
import os
import sys
from collections.abc import Sequence

import jax

from adaland.envs.physics import backends
from adaland.launch import cli, errors
from adaland.launch.bench import parts
from adaland.launch.config import overrides, presets
from adaland.launch.roles import env_vars

_EXAMPLES = """\
examples:
  python -m launch.bench env --json=-
  python -m launch.bench learner --preset=gpu
  python -m launch.bench train --preset=laptop --seconds=20
  python -m launch.bench train --preset=laptop --launcher=device
  python -m launch.bench device --json=OUT
  python -m launch.bench soak --launcher=ray --minutes=10

env      Land against MuJoCo alone: stepping, ray casting
vision   pictures from rays
replay   unrolls in and out of the stores
actor    one actor's environment steps
learner  steps learned from
train    the whole, against what the stages predict
distributed  actors through Reverb to a sink, against the actors alone
waiting  the learner's share of time waiting for data, where actors suffice
ray      a run under --launcher=ray, against the same under local
soak     memory of each role of a run, and how it grows
acting   the network's steps alone
product  a plain matrix product, the ceiling of networks
training one process's run, of `train --launcher=device`, without its stages
kernels  physics on an accelerator made ready: compiled, or found compiled
device   all of one accelerator, in under ten minutes
"""
_NUM_ENVS = 128
_LAUNCHERS = {
  "actor": ("local", "device"),
  "learner": ("local", "device"),
  "train": ("local", "device"),
  "training": ("local", "device"),
  "waiting": ("local", "ray"),
  "soak": ("local", "ray"),
}
_COMMANDS = (
  "env",
  "vision",
  "replay",
  "actor",
  "learner",
  "train",
  "distributed",
  "waiting",
  "ray",
  "soak",
  "acting",
  "product",
  "training",
  "kernels",
  "device",
)


def make_parser() -> cli.Parser:
  """The command's flags."""
  parser = cli.Parser(
    prog="python -m launch.bench", description=__doc__, epilog=_EXAMPLES
  )
  parser.add_argument("what", help=", ".join(_COMMANDS))
  parser.add_argument(
    "--preset", default="laptop", help="sizes of everything that is measured"
  )
  parser.add_argument(
    "--num_envs",
    type=cli.positive_int,
    help=f"environments of env, {_NUM_ENVS} by default, and of vision, the "
    "actor's by default",
  )
  parser.add_argument(
    "--seconds",
    type=float,
    help="time for each measurement, 5 by default, 2 of device",
  )
  parser.add_argument(
    "--launcher",
    default="local",
    help="of actor, learner and train: local (processes) or device (one "
    "process); of waiting and soak: local or ray",
  )
  parser.add_argument(
    "--minutes",
    type=float,
    default=10.0,
    help="of soak: how long; of device: time for all of it",
  )
  parser.add_argument(
    "--backend",
    default="cpu",
    help="of env and vision: cpu, or gpu for mujoco_warp",
  )
  parser.add_argument(
    "--parts",
    action="extend",
    nargs="+",
    default=[],
    metavar="PART",
    help="of device: run only these parts, as its results name them",
  )
  parser.add_argument(
    "--tiny",
    action="store_true",
    help="of device: the same at the smallest sizes, without an accelerator",
  )
  parser.add_argument(
    "--set",
    action="extend",
    nargs="+",
    default=[],
    metavar="FIELD=VALUE",
    help="change single settings of the preset",
  )
  cli.add_json_flag(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Measures."""
  if args.what not in _COMMANDS:
    raise errors.choice("bench", args.what, _COMMANDS)
  launchers = _LAUNCHERS.get(args.what, ("local",))
  if args.launcher not in launchers:
    raise errors.choice(f"{args.what}: --launcher", args.launcher, launchers)
  if not 0 < args.minutes <= 600:
    raise errors.UserError(
      f"--minutes={args.minutes}: allowed: above 0, to 600"
    )
  if "ray" in (args.what, args.launcher):
    from adaland.launch.runtimes import ray_cluster

    ray_cluster.require()
  if args.seconds is None:
    args.seconds = 2.0 if args.what == "device" else 5.0
  if not 0 < args.seconds <= 600:
    raise errors.UserError(
      f"--seconds={args.seconds}: allowed: above 0, to 600"
    )
  if args.backend not in backends.BACKENDS:
    raise errors.choice("--backend", args.backend, backends.BACKENDS)
  on_gpu = args.what in ("env", "vision") and args.backend == "gpu"
  if on_gpu or args.what == "kernels":
    _use_gpu_backend(args)
  elif args.what in ("env", "actor") and args.launcher == "local":
    # As an actor's process has it. XLA reads its flags when it is first used;
    # JAX has already read its own.
    os.environ.update(env_vars.actor())
    jax.config.update("jax_cpu_enable_async_dispatch", False)
  config = overrides.apply(presets.get(args.preset), args.set)
  num_envs = args.num_envs or (
    _NUM_ENVS if args.what == "env" else config.actor.envs_per_actor
  )
  result = parts.measure(args, config, num_envs, on_gpu)
  text = "\n".join(f"{n:<44}{_shown(n, x):>14}" for n, x in result.items())
  cli.emit(result, text, args.json)
  if args.what == "device":
    from adaland.launch.bench import all_gpu

    all_gpu.check(result)


def _shown(name: str, value: float) -> str:
  """A number as the table has it."""
  if name.endswith("_ratio"):
    return f"{value:.3f}"
  # Rates are in the thousands, but not all that is measured is a rate.
  return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _use_gpu_backend(args: argparse.Namespace) -> None:
  """Checks that it can run, and leaves it some of an accelerator's memory.

  Raises:
    UserError: If it can't run here.
  """
  config = overrides.apply(presets.get(args.preset), args.set)
  with errors.user_input("gpu back end"):
    backends.check("gpu", config.env.device)
  os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
