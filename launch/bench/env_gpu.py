"""Speed of the environments on the gpu back end, against physics alone."""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from adaland.curriculum.base import Assignment
from adaland.envs import constants, land
from adaland.envs.game import avatar
from adaland.envs.observations import vision
from adaland.envs.physics import base
from adaland.envs.physics.gpu.physics import GpuPhysics
from adaland.envs.tasks import task
from adaland.envs.worlds import scene
from adaland.launch.bench.lib import hardware, stages, timing
from adaland.launch.config import experiment
from adaland.launch.recipes import task_source
from adaland.launch.runtimes.single import prefetch

_LOADED = 64  # Number of tasks whose loading is timed.
_NUM_CONTROLS = 32  # Number of random controls, used in turn, one per step.
_SIZES = constants.ACTION_SIZES
_OBSERVATIONS = ("entities", "pixels")
Works = dict[str, Callable[[], object]]


def env(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Measures steps per second of Land, of each stage, and of physics alone.

  Both kinds of observation are measured, pictures in the config's size. `bare`
  in a name stands for physics alone: the simulation of the same worlds, and a
  cast of all the pictures' rays. Ratios are to stepping alone or, for pixels,
  to stepping and casting alone. `task_ms` is the time to prepare a task, and
  `task_wait_ms` the time that the stepping thread waits for one: 0 if the
  preparation is hidden.

  Args:
    config: Config of the environments and their tasks; its device is used.
    num_envs: Number of environments.
    seconds: Length of each measurement.
  """
  draw = task_source.TaskSource(config).task
  count = iter(range(10**9))
  width, height = config.env.pixels
  frames = f"env_gpu_bare_{width}x{height}_frames_per_s"
  result = {"env_gpu_num_envs_count": float(num_envs)}
  for observation in _OBSERVATIONS:
    name = f"env_gpu_{observation}"
    settings = land.LandConfig(
      num_slots=config.env.num_slots,
      max_rules=config.env.max_rules,
      observation=observation,
      pixels=config.env.pixels,
      backend="gpu",
      device=config.env.device,
    )
    ahead = prefetch.TaskPrefetcher(
      lambda: Assignment(0, next(count), True),
      prefetch.Maker(task_source.TaskSource(config), settings),
      num_envs,
    )
    world = land.Land(
      num_envs, settings, lambda row, a=ahead: a.next_task().task
    )
    physics = world.physics
    assert isinstance(physics, GpuPhysics)
    world.reset()
    physics.wait()
    works: Works = {f"{name}_steps_per_s": stepping(world)}
    if observation == "entities":
      result["env_gpu_load_ms"] = _load_ms(world, draw, count)
      works["env_gpu_bare_steps_per_s"] = alone(physics)
    else:
      works[frames] = casting(physics, config.env.pixels)
    waited, taken = ahead.waited_seconds, ahead.taken
    rates = timing.rates(list(works.values()), seconds)
    waited, taken = ahead.waited_seconds - waited, ahead.taken - taken
    result[f"{name}_task_wait_ms"] = 1e3 * waited / max(1, taken)
    for work, rate in zip(works, rates, strict=True):
      result[work] = rate * num_envs
    stage_ms = stages.stage_ms(world, stepping(world), seconds)
    result |= {f"{name}_{stage}_ms": ms for stage, ms in stage_ms.items()}
    result[f"{name}_engine_ratio"] = stages.engine_ratio(stage_ms)
    overflows = float(physics.overflows())
    result[f"{name}_overflows_count"] = overflows
    ahead.close()
    result["env_gpu_task_ms"] = 1e3 * ahead.making_seconds / ahead.prepared
    used = hardware.memory(physics.device)
    result |= {f"env_gpu_{key}": value for key, value in used.items()}
  return result | ratios(result, frames)


def ratios(result: dict[str, float], frames: str) -> dict[str, float]:
  """Computes the ratios of Land to stepping and casting alone.

  Args:
    result: The measurements.
    frames: Name of the result for casting alone, pictures per second.
  """
  steps = result["env_gpu_bare_steps_per_s"]
  both = 1 / (1 / steps + 1 / result[frames])
  return {
    "env_gpu_entities_ratio": result["env_gpu_entities_steps_per_s"] / steps,
    "env_gpu_pixels_ratio": result["env_gpu_pixels_steps_per_s"] / both,
  }


def _load_ms(
  world: land.Land,
  draw: Callable[[int], task.Task],
  count: Iterator[int],
) -> float:
  """Measures the milliseconds to draw, place and load a new task."""
  rows = np.arange(min(world.num_envs, _LOADED))
  start = time.perf_counter()
  drawn = [draw(next(count)) for _ in rows]
  slots, players = world.config.num_slots, world.config.num_players
  scenes = [scene.build_scene(each, slots, players) for each in drawn]
  world.physics.load(rows, scenes)
  jax.block_until_ready(world.physics.shared_state())
  taken = 1e3 * (time.perf_counter() - start) / len(rows)
  world.reset()  # Physics has worlds that the schedule does not know of.
  return taken


def alone(physics: GpuPhysics) -> Callable[[], None]:
  """Returns a function that only steps the worlds, with random walks.

  If nobody moved, the worlds would fall asleep and the ceiling would be too
  high.
  """
  rng = np.random.Generator(np.random.PCG64(0))
  shape = (_NUM_CONTROLS, physics.num_envs, physics.num_players, len(_SIZES))
  yaw = jnp.asarray(physics.shared_state().player_yaw)
  none: Any = jnp.full(yaw.shape, -1, jnp.int32)
  at: Any = jnp.zeros((*yaw.shape, 3))
  controls: list[Any] = []
  for actions in rng.integers(0, _SIZES, shape):
    command = avatar.decode_actions(
      jnp.asarray(actions), yaw, jnp.zeros_like(yaw)
    )
    controls.append(
      base.AvatarControl(command.velocity, command.turn, none, at)
    )
  jax.block_until_ready(controls)
  turn = itertools.cycle(controls)

  def step() -> None:
    physics.step(next(turn))
    physics.wait()

  return step


def stepping(world: land.Land) -> Callable[[], object]:
  """Returns a function that steps at random and waits for observations."""
  rng = np.random.Generator(np.random.PCG64(0))
  shape = (world.num_envs, len(_SIZES))

  def step() -> None:
    shown = world.step(rng.integers(0, _SIZES, shape))
    jax.block_until_ready((shown.observation, shown.reward))

  return step


def views(physics: GpuPhysics) -> tuple[jax.Array, jax.Array]:
  """Computes eyes and axes of the players' views at a trial's start.

  Returns:
    Eyes and axes, float32 [N, P, 3] and [N, P, 3, 3].
  """
  state = physics.shared_state()
  yaw = jnp.asarray(state.player_yaw)
  axes = avatar.view_axes(yaw, jnp.full_like(yaw, constants.START_PITCH))
  return avatar.eye(state.player_pos), axes


def picture_rays(
  physics: GpuPhysics, size: tuple[int, int]
) -> tuple[jax.Array, jax.Array, jax.Array]:
  """Computes origins, directions and excluded nodes of the pictures' rays."""
  eyes, axes = views(physics)
  view = jnp.asarray(vision.pixel_directions(*size))
  origins, directions = (
    x.reshape(physics.num_envs, -1, 3)
    for x in vision.pixel_rays(view, eyes, axes)
  )
  players = jnp.arange(physics.num_players, dtype=jnp.int32)
  exclude = jnp.repeat(players, size[0] * size[1])[None]
  exclude = jnp.broadcast_to(exclude, origins.shape[:2])
  return jax.block_until_ready((origins, directions, exclude))


def casting(physics: GpuPhysics, size: tuple[int, int]) -> Callable[[], None]:
  """Returns a function that only casts the rays of pictures."""
  rays: Any = picture_rays(physics, size)  # `physics.rays` takes JAX arrays.

  def cast() -> None:
    jax.block_until_ready(physics.rays(*rays, normals=True))

  return cast
