"""Which function measures what `launch.bench` is asked for."""

import argparse

from adaland.launch.config import experiment


def measure(
  args: argparse.Namespace,
  config: experiment.ExperimentConfig,
  num_envs: int,
  on_gpu: bool,
) -> dict[str, float]:
  """Calls what measures; each part imports only what it needs itself.

  Args:
    args: The command's flags, checked.
    config: Sizes of what is measured.
    num_envs: Environments of env and vision.
    on_gpu: Whether those are on the gpu back end.
  """
  what, seconds = args.what, args.seconds
  if what == "device":
    from adaland.launch.bench import all_gpu

    return all_gpu.device(
      seconds, args.num_envs, args.tiny, args.minutes, args.parts
    )
  if on_gpu or what == "kernels":
    from adaland.launch.bench import env_gpu, vision_gpu

    if what == "kernels":
      return vision_gpu.kernels(config)
    if what == "env":
      return env_gpu.env(config, num_envs, seconds)
    return vision_gpu.pictures(config, num_envs, seconds)
  if what in ("env", "vision"):
    from adaland.launch.bench import env

    if what == "env":
      return env.env(config, num_envs, seconds)
    return env.pictures(config, num_envs, seconds)
  if what == "train":
    from adaland.launch.bench import train

    return train.train(config, args.preset, seconds, args.launcher, args.set)
  if what == "distributed":
    from adaland.launch.bench import distributed

    return distributed.sink(config, seconds)
  if what == "waiting":
    from adaland.launch.bench import waiting

    return waiting.waiting(
      config, args.preset, seconds, args.launcher, args.set
    )
  if what == "ray":
    from adaland.launch.bench import ray_speed

    return ray_speed.overhead(args.preset, seconds, args.set)
  if what == "soak":
    from adaland.launch.bench import soak

    return soak.soak(args.preset, args.launcher, args.minutes, args.set)
  if what in ("acting", "learner", "product"):
    from adaland.launch.bench import network

    if what == "product":
      return network.product(seconds)
    if what == "acting":
      return network.acting(config, seconds)
    return network.learner(config, seconds, args.launcher)
  if what == "training":
    from adaland.launch.bench import single

    return single.training(config, seconds)
  from adaland.launch.bench import actor

  if what == "actor":
    return actor.actor(config, seconds, args.launcher)
  return actor.replay(config, seconds)
