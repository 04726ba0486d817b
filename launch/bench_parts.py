"""Which function measures what `launch.bench` is asked for."""

import argparse

from launch import config as config_lib


def measure(
  args: argparse.Namespace,
  config: config_lib.ExperimentConfig,
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
    from launch import bench_device

    return bench_device.device(
      seconds, args.num_envs, args.tiny, args.minutes, args.parts
    )
  if on_gpu or what == "kernels":
    from launch import bench_device_env, bench_device_vision

    if what == "kernels":
      return bench_device_vision.kernels(config)
    if what == "env":
      return bench_device_env.env(config, num_envs, seconds)
    return bench_device_vision.pictures(config, num_envs, seconds)
  if what in ("env", "vision"):
    from launch import bench_env

    if what == "env":
      return bench_env.env(config, num_envs, seconds)
    return bench_env.pictures(config, num_envs, seconds)
  if what == "train":
    from launch import bench_train

    return bench_train.train(
      config, args.preset, seconds, args.launcher, args.set
    )
  if what == "distributed":
    from launch import bench_distributed

    return bench_distributed.sink(config, seconds)
  if what == "waiting":
    from launch import bench_waiting

    return bench_waiting.waiting(
      config, args.preset, seconds, args.launcher, args.set
    )
  if what == "inference":
    from launch import bench_inference

    return bench_inference.compare(config, seconds)
  if what == "ray":
    from launch import bench_ray

    return bench_ray.overhead(args.preset, seconds, args.set)
  if what == "soak":
    from launch import bench_soak

    return bench_soak.soak(args.preset, args.launcher, args.minutes, args.set)
  if what in ("acting", "learner", "product"):
    from launch import bench_network

    if what == "product":
      return bench_network.product(seconds)
    if what == "acting":
      return bench_network.acting(config, seconds)
    return bench_network.learner(config, seconds, args.launcher)
  if what == "training" or args.launcher == "device":
    from launch import bench_device_train

    if what == "actor":
      return bench_device_train.player(config, seconds)
    return bench_device_train.training(config, seconds)
  from launch import bench_agent

  if what == "actor":
    return bench_agent.actor(config, seconds)
  return bench_agent.replay(config, seconds)
