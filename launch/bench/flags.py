"""Flags of launch.bench."""

import argparse
from collections.abc import Sequence

from adaland.envs.physics import backends
from adaland.launch import cli, errors

NUM_ENVS = 128  # Default of --num_envs for env.
_PRESET = "laptop"
_MINUTES = 10.0
# Flags that only some benches have.
_OF = {
  "--versus_local": ("train",),
  "--ample_actors": ("train",),
  "--parts": ("device",),
  "--tiny": ("device",),
  "--backend": ("env", "vision"),
  "--num_envs": ("env", "vision", "device"),
  "--minutes": ("soak", "device"),
}
# Flags that some benches lack.
_NOT_OF = {
  "--preset": ("product", "device"),
  "--set": ("product", "device"),
  "--seconds": ("soak", "kernels"),
}


def add(parser: cli.Parser) -> None:
  """Adds all flags to the command's parser."""
  parser.add_argument(
    "--preset",
    help=f"sizes of all measured parts, {_PRESET} by default",
  )
  parser.add_argument(
    "--num_envs",
    type=cli.positive_int,
    help="number of environments; by default, for env "
    f"{NUM_ENVS}, for vision the actor's, for device each part's own",
  )
  parser.add_argument(
    "--seconds",
    type=float,
    help="time for each measurement; by default 5, for device 2, for memory 1",
  )
  parser.add_argument(
    "--launcher",
    default="local",
    help="for actor, learner, train: local (processes) or device (one "
    "process); for train and soak also ray; local by default",
  )
  parser.add_argument(
    "--versus_local",
    action="store_true",
    help="for train under ray: measure it in turns with local, and compare",
  )
  parser.add_argument(
    "--ample_actors",
    action="store_true",
    help="for train: raise replay.samples_per_insert until actors can play "
    "twice as much as the learner uses, so that train_wait_ratio is due to the "
    "runtime",
  )
  parser.add_argument(
    "--minutes",
    type=float,
    help="for soak: length of the run; for device: time for everything; "
    f"{_MINUTES:g} by default",
  )
  parser.add_argument(
    "--backend",
    default="cpu",
    help="for env and vision: cpu, or gpu for mujoco_warp; cpu by default",
  )
  parser.add_argument(
    "--parts",
    action="extend",
    nargs="+",
    default=[],
    metavar="PART",
    help="for device: run only these parts, by their names in the results",
  )
  parser.add_argument(
    "--tiny",
    action="store_true",
    help="for device: use the smallest sizes, without an accelerator",
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


def check(
  args: argparse.Namespace, launchers: Sequence[str], seconds: float
) -> None:
  """Checks all flags except --preset and --set, and fills in defaults.

  Args:
    args: The flags.
    launchers: Allowed values of --launcher for this bench.
    seconds: Default of --seconds for this bench.

  Raises:
    UserError: If a value is out of range, or a flag is another bench's.
  """
  if args.launcher not in launchers:
    raise errors.choice(f"{args.bench}: --launcher", args.launcher, launchers)
  if args.backend not in backends.BACKENDS:
    raise errors.choice("--backend", args.backend, backends.BACKENDS)
  given = {
    "--versus_local": args.versus_local,
    "--ample_actors": args.ample_actors,
    "--parts": args.parts,
    "--tiny": args.tiny,
    "--backend": args.backend != "cpu",
    "--num_envs": args.num_envs is not None,
    "--minutes": args.minutes is not None,
    "--preset": args.preset is not None,
    "--set": args.set,
    "--seconds": args.seconds is not None,
  }
  for flag, benches in _OF.items():
    if given[flag] and args.bench not in benches:
      raise errors.UserError(
        f"{args.bench}: {flag} is a flag of {_and(benches)}"
      )
  for flag, benches in _NOT_OF.items():
    if given[flag] and args.bench in benches:
      raise errors.UserError(
        f"{args.bench}: {flag} is a flag of all but {_and(benches)}"
      )
  if args.versus_local and args.launcher != "ray":
    raise errors.UserError(
      f"--versus_local: allowed with --launcher=ray, not {args.launcher}"
    )
  if args.ample_actors and args.launcher == "device":
    raise errors.UserError(
      "--ample_actors: allowed with --launcher=local or ray, not device"
    )
  if args.preset is None:
    args.preset = _PRESET
  if args.minutes is None:
    args.minutes = _MINUTES
  if args.seconds is None:
    args.seconds = seconds
  for flag, value in (("minutes", args.minutes), ("seconds", args.seconds)):
    if not 0 < value <= 600:
      raise errors.UserError(f"--{flag}={value}: allowed: above 0, to 600")
  if args.launcher == "ray":
    from adaland.launch.runtimes import ray_cluster

    ray_cluster.require()


def _and(names: Sequence[str]) -> str:
  """Returns "a", "a and b" or "a, b and c"."""
  *others, last = names
  return f"{', '.join(others)} and {last}" if others else last
