"""Speed of everything on one accelerator, one process for each part.

Parts run one after the other, in processes of their own, so that each has the
device's whole memory: XLA and Warp both keep what they once took.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from envs import avatar, constants, land, sampler, vision, worlds
from envs import task as task_lib
from envs.physics import backends
from launch import bench_agent, builder, errors, timing
from launch import config as config_lib
from launch.device import prefetch

_PIXELS = (96, 72)
_SQUARE = 8192  # Rows of the matrices on an accelerator, and else.
_SMALL_SQUARE = 512
# Enough that the device is busy, as in facts measured on one H100 before.
_NUM_ENVS = 4096
_LOADED = 64  # Tasks whose loading is timed.
_PRESETS = ("gpu", "ada_23m")
# What the launcher for one device needs to differ from the presets.
_TRAINING = (
  "actor.num_actors=1",
  "replay.kind=memory",
  "replay.error_buffer=null",
)
# As small as all parts can be, on Warp's and JAX's CPU devices.
_TINY = ("env.device=cpu", "env.num_slots=6")


def product(seconds: float) -> dict[str, float]:
  """A plain matrix product: the ceiling of what networks can do here."""
  on_cpu = jax.default_backend() == "cpu"
  n = _SMALL_SQUARE if on_cpu else _SQUARE
  kind = jnp.float32 if on_cpu else jnp.bfloat16
  matrix = jnp.ones((n, n), kind)
  multiply = jax.jit(jnp.matmul)
  [rate] = timing.rates(
    [lambda: multiply(matrix, matrix).block_until_ready()], seconds
  )
  return {"product_tflop_per_s": rate * 2 * n**3 / 1e12}


def acting(
  config: config_lib.ExperimentConfig, seconds: float
) -> dict[str, float]:
  """Steps a second of acting alone, observations at hand on the device."""
  made = builder.agent(config)
  params = made.network.init(jax.random.PRNGKey(0))
  num_envs = config.actor.envs_per_actor
  observation = {
    name: jnp.zeros((num_envs, *shape), kind)
    for name, (shape, kind) in made.observation_spec.items()
  }
  state = made.actor.init(num_envs)
  first, key = jnp.zeros(num_envs, bool), jax.random.PRNGKey(1)

  def act() -> None:
    nonlocal state
    output, state = made.actor.act(params, state, observation, first, key)
    jax.block_until_ready(output)

  [rate] = timing.rates([act], seconds)
  return {"acting_steps_per_s": rate * num_envs}


def env(
  config: config_lib.ExperimentConfig,
  num_envs: int,
  seconds: float,
  pixels: tuple[int, int] = _PIXELS,
) -> dict[str, float]:
  """Steps a second on the gpu back end: physics and rays alone, and Land.

  Also what a task takes to be made ready, `task_ms`, and how long the stepping
  thread waited for one, `task_wait_ms`: nothing where that is hidden.

  Args:
    config: Of the environments and their tasks; its device is used.
    num_envs: Environments.
    seconds: For each measurement.
    pixels: Size of the pictures.
  """
  from envs.physics import gpu

  draw = sampler.TaskSampler(config.tasks).task
  count = iter(range(10**9))
  sizes = {"num_slots": config.env.num_slots, "max_rules": config.env.max_rules}
  result = {"env_gpu_num_envs_count": float(num_envs)}
  size = f"{pixels[0]}x{pixels[1]}"
  for observation in ("entities", "pixels"):
    settings = land.LandConfig(
      **sizes,
      observation=observation,
      pixels=pixels,
      backend="gpu",
      device=config.env.device,
    )
    ahead = prefetch.Prefetcher(
      lambda: next(count),
      lambda index: index,
      prefetch.Maker(config.tasks, settings),
      num_envs,
    )
    world = land.Land(num_envs, settings, lambda row, a=ahead: a.take()[1])
    physics = world.physics
    assert isinstance(physics, gpu.GpuPhysics)
    world.reset()
    physics.wait()
    if observation == "entities":
      result["env_gpu_load_ms"] = _load_ms(world, draw, count)
    waited, taken = ahead.waited_seconds, ahead.taken
    step = _stepping(world)
    works = {f"env_gpu_{observation}_steps_per_s": step}
    if observation == "entities":
      works["env_gpu_bare_steps_per_s"] = lambda p=physics: _alone(p)
    else:
      works[f"env_gpu_bare_{size}_frames_per_s"] = _rays(world, pixels)
    rates = timing.rates(list(works.values()), seconds)
    for name, rate in zip(works, rates, strict=True):
      result[name] = rate * num_envs
    result["env_gpu_overflows_count"] = float(physics.overflows())
    ahead.close()
    result["env_gpu_task_ms"] = 1e3 * ahead.making_seconds / ahead.prepared
    waited = ahead.waited_seconds - waited
    result[f"env_gpu_{observation}_task_wait_ms"] = (
      1e3 * waited / max(1, ahead.taken - taken)
    )
  bare = 1 / (
    1 / result["env_gpu_bare_steps_per_s"]
    + 1 / result[f"env_gpu_bare_{size}_frames_per_s"]
  )
  return result | {
    "env_gpu_entities_ratio": (
      result["env_gpu_entities_steps_per_s"]
      / result["env_gpu_bare_steps_per_s"]
    ),
    "env_gpu_pixels_ratio": result["env_gpu_pixels_steps_per_s"] / bare,
  }


def _load_ms(
  world: land.Land,
  draw: Callable[[int], task_lib.Task],
  count: Iterator[int],
) -> float:
  """Milliseconds a new task takes: drawn, placed, written to the device."""
  rows = np.arange(min(world.num_envs, _LOADED))
  start = time.perf_counter()
  tasks = [draw(next(count)) for _ in rows]
  slots, players = world.config.num_slots, world.config.num_players
  scenes = [worlds.build_scene(task, slots, players) for task in tasks]
  world.physics.load(rows, scenes)
  jax.block_until_ready(world.physics.shared_state())
  taken = 1e3 * (time.perf_counter() - start) / len(rows)
  world.reset()  # What plays is again what was loaded.
  return taken


def _alone(physics) -> None:
  """A step of the worlds, nothing else."""
  physics.simulate()
  physics.wait()


def _stepping(world: land.Land) -> Callable[[], object]:
  """Steps with random actions, until what is observed is there."""
  rng = np.random.Generator(np.random.PCG64(0))
  shape = (world.num_envs, len(constants.ACTION_SIZES))

  def step() -> None:
    shown = world.step(rng.integers(0, constants.ACTION_SIZES, shape))
    jax.block_until_ready((shown.observation, shown.reward))

  return step


def _rays(world: land.Land, size: tuple[int, int]) -> Callable[[], None]:
  """Casts a picture's rays from the avatars' eyes, nothing else."""
  state = world.physics.shared_state()
  axes = avatar.view_axes(
    state.player_yaw, jnp.zeros_like(jnp.asarray(state.player_yaw))
  )
  view = jnp.asarray(vision.pixel_directions(*size))
  origins, directions = (
    x.reshape(world.num_envs, -1, 3)
    for x in vision.pixel_rays(view, avatar.eye(state.player_pos), axes)
  )
  exclude = jnp.zeros(origins.shape[:2], jnp.int32)

  physics: Any = world.physics  # Takes JAX's arrays too.

  def cast() -> None:
    hits = physics.rays(origins, directions, exclude, normals=True)
    jax.block_until_ready(hits)

  return cast


def device(
  seconds: float, num_envs: int | None, tiny: bool
) -> dict[str, float]:
  """All of it, with what each part takes; minutes, most of them compiling.

  Args:
    seconds: For each measurement.
    num_envs: Environments; None for as many as keep a large device busy.
    tiny: Whether to try the same at the smallest sizes, without a device.

  Raises:
    UserError: If there is no CUDA device, and `tiny` does not do without.
  """
  with errors.user_input("bench device"):
    backends.check("gpu", "cpu" if tiny else "cuda")
  began = time.perf_counter()
  count = num_envs or (2 if tiny else _NUM_ENVS)
  chosen = ("smoke",) if tiny else _PRESETS
  changes = [f"actor.envs_per_actor={count}", "env.backend=gpu"]
  changes += _TINY if tiny else ()
  common = (f"--seconds={seconds}",)
  result: dict[str, float] = {}

  def part(name: str, *args: str, prefix: str = "") -> None:
    start = time.perf_counter()
    found = bench_agent.in_process("launch.bench", name, *common, *args)
    result.update({prefix + key: value for key, value in found.items()})
    result[f"{prefix}{name}_part_seconds"] = time.perf_counter() - start

  part("product")
  part(
    "env",
    "--backend=gpu",
    f"--num_envs={count}",
    f"--preset={chosen[0]}",
    "--set",
    *changes,
    *(["env.pixels=12,8"] if tiny else ["env.pixels=96,72"]),
  )
  for preset in chosen:
    settings = ["--set", *changes, *_TRAINING]
    for name in ("acting", "train"):
      flags = [f"--preset={preset}"]
      if name == "train":
        flags.append("--launcher=device")
      part(name, *flags, *settings, prefix=f"{preset}_")
  return result | {"device_seconds": time.perf_counter() - began}
