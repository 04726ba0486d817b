"""Measures the speed of each part on this machine."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence

from adaland.envs.physics import backends
from adaland.launch import cli, errors, output
from adaland.launch.bench import flags
from adaland.launch.config import experiment, overrides, preset_configs
from adaland.launch.run import dispatch
from adaland.launch.runtimes import env_vars

_EXAMPLES = """\
examples:
  adaland bench env --json=-
  adaland bench learner --preset=gpu
  adaland bench train --preset=laptop --launcher=ray
  adaland bench train --preset=laptop --launcher=device
  adaland bench device --json=OUT
  adaland bench soak --launcher=ray --minutes=10

benches:
"""
_Config = experiment.ExperimentConfig
# Each imports only the parts that it measures: some need an accelerator's
# libraries, and XLA reads its flags when it is first used.
_Measure = Callable[[argparse.Namespace, _Config], dict[str, float]]


def _env(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  num_envs = args.num_envs or flags.NUM_ENVS
  if args.backend == "gpu":
    from adaland.launch.bench import env_gpu

    return env_gpu.env(config, num_envs, args.seconds)
  from adaland.launch.bench import env

  return env.env(config, num_envs, args.seconds)


def _vision(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  num_envs = args.num_envs or config.actor.envs_per_actor
  if args.backend == "gpu":
    from adaland.launch.bench import vision_gpu

    return vision_gpu.pictures(config, num_envs, args.seconds)
  from adaland.launch.bench import env

  return env.pictures(config, num_envs, args.seconds)


def _replay(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import actor

  return actor.replay(config, args.seconds)


def _actor(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import actor

  return actor.actor(config, args.seconds, args.launcher)


def _learner(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import network

  return network.learner(config, args.seconds, args.launcher)


def _vision_learner(
  args: argparse.Namespace, config: _Config
) -> dict[str, float]:
  from adaland.launch.bench import vision_learner

  return vision_learner.learner(config, args.seconds)


def _train(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import train

  return train.train(
    config,
    args.preset,
    args.seconds,
    args.launcher,
    args.set,
    args.ample_actors,
    args.versus_local,
  )


def _distributed(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import distributed

  return distributed.sink(config, args.seconds)


def _soak(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  del config  # The run makes its own config from the preset.
  from adaland.launch.bench import soak

  return soak.soak(args.preset, args.launcher, args.minutes, args.set)


def _acting(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import network

  return network.acting(config, args.seconds)


def _memory(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import memory

  return memory.memory(config, args.seconds)


def _product(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  del config
  from adaland.launch.bench import network

  return network.product(args.seconds)


def _training(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  from adaland.launch.bench import single

  return single.training(config, args.seconds)


def _kernels(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  del args
  from adaland.launch.bench import vision_gpu

  return vision_gpu.kernels(config)


def _device(args: argparse.Namespace, config: _Config) -> dict[str, float]:
  del config  # Each part makes its own config from a preset.
  from adaland.launch.bench import all_gpu

  return all_gpu.device(
    args.seconds, args.num_envs, args.tiny, args.minutes, args.parts
  )


@dataclasses.dataclass(frozen=True)
class Bench:
  """A benchmark.

  Attributes:
    measure: Function of the checked flags and the config that returns the
      results by name.
    help: One line about the measurement.
    launchers: Allowed values of --launcher.
    needs_gpu_backend: Whether it always runs on the gpu back end.
    seconds: Default of --seconds.
  """

  measure: _Measure
  help: str
  launchers: tuple[str, ...] = ("local",)
  needs_gpu_backend: bool = False
  seconds: float = 5.0


_ONE_MACHINE = ("local", "device")
BENCHES = {
  "env": Bench(_env, "Land against MuJoCo alone: stepping, ray casting"),
  "vision": Bench(_vision, "pictures from rays"),
  "replay": Bench(_replay, "unrolls in and out of the stores"),
  "actor": Bench(_actor, "one actor's environment steps", _ONE_MACHINE),
  "learner": Bench(
    _learner, "steps learned from, with batches at hand", _ONE_MACHINE
  ),
  "vision_learner": Bench(
    _vision_learner, "steps learned from pictures, torso against patches"
  ),
  "train": Bench(
    _train,
    "a whole run, against a prediction from actor and learner",
    ("local", "ray", "device"),
  ),
  "distributed": Bench(
    _distributed, "actors through Reverb to a sink, against the actors alone"
  ),
  "soak": Bench(
    _soak, "memory of each role of a run, and its growth", ("local", "ray")
  ),
  "acting": Bench(
    _acting, "the network's steps alone, with observations at hand"
  ),
  "memory": Bench(
    _memory, "each memory's state and step, by context and by age", seconds=1.0
  ),
  "product": Bench(_product, "a plain matrix product, the ceiling of networks"),
  "training": Bench(
    _training, "one process's run, without its stages", _ONE_MACHINE
  ),
  "kernels": Bench(
    _kernels,
    "time to compile the gpu back end's kernels",
    needs_gpu_backend=True,
  ),
  "device": Bench(
    _device, "all of one accelerator, in under ten minutes", seconds=2.0
  ),
}


def make_parser() -> cli.Parser:
  """Returns the parser of the command's flags."""
  lines = "\n".join(
    f"  {name:<14} {bench.help}" for name, bench in BENCHES.items()
  )
  parser = cli.Parser(
    prog="adaland bench",
    description=__doc__,
    epilog=_EXAMPLES + lines,
  )
  parser.add_argument("bench", help=", ".join(BENCHES))
  flags.add(parser)
  return parser


def run(args: argparse.Namespace) -> None:
  """Runs a benchmark and shows its results."""
  if args.bench not in BENCHES:
    raise errors.choice("bench", args.bench, BENCHES)
  bench = BENCHES[args.bench]
  flags.check(args, bench.launchers, bench.seconds)
  config = overrides.apply(preset_configs.get(args.preset), args.set)
  if bench.needs_gpu_backend or args.backend == "gpu":
    _use_gpu_backend(config)
  elif args.bench in ("env", "actor") and args.launcher == "local":
    # As in an actor process. XLA reads its flags when it is first used.
    os.environ.update(env_vars.actor())
    dispatch.run_inline()
  result = bench.measure(args, config)
  text = "\n".join(
    f"{name:<44}{_format(name, value):>14}" for name, value in result.items()
  )
  output.emit(result, text, args.json)
  if args.bench == "device":
    from adaland.launch.bench import all_gpu

    all_gpu.check(result)


def _format(name: str, value: float) -> str:
  """Formats a number for the table."""
  if name.endswith("_ratio"):
    return f"{value:.3f}"
  # Rates are in the thousands, but not every result is a rate.
  return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _use_gpu_backend(config: _Config) -> None:
  """Checks that the gpu back end can run, and leaves memory for it.

  Raises:
    UserError: If it can't run here.
  """
  with errors.user_input("gpu back end"):
    backends.check("gpu", config.env.device)
  os.environ.setdefault("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the command."""
  return cli.main(make_parser, run, argv)


if __name__ == "__main__":
  sys.exit(main())
