"""Speed of the environments, compared with MuJoCo alone on the same models."""

import dataclasses
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from adaland.envs import constants, land
from adaland.envs.game import avatar
from adaland.envs.observations import vision
from adaland.envs.physics import cpu
from adaland.launch.bench.lib import mujoco_alone, timing
from adaland.launch.config import experiment
from adaland.launch.recipes import task_source

PIXELS = (24, 18)
VISION_SIZES = ((24, 18), (48, 36), (96, 72))
# Land and MuJoCo alone take turns of about this length, so that a slow moment
# of the machine affects both equally.
_TURN_SECONDS = 0.25


def _land(
  config: experiment.ExperimentConfig, num_envs: int, **changes
) -> land.Land:
  draw = task_source.TaskSource(config).task
  count = iter(range(10**9))
  env = dataclasses.replace(config.env, **changes)
  return land.Land(num_envs, env, lambda row: draw(next(count)))


def _cpu(environments: land.Land) -> cpu.CpuPhysics:
  """Returns the back end that MuJoCo alone is compared with."""
  assert isinstance(environments.physics, cpu.CpuPhysics)
  return environments.physics


def _stepping(environments: land.Land) -> Callable[[], object]:
  """Returns a function that steps with random actions.

  New tasks and trials are included.
  """
  rng = np.random.Generator(np.random.PCG64(0))
  shape = (environments.num_envs, len(constants.ACTION_SIZES))
  return lambda: environments.step(
    rng.integers(0, constants.ACTION_SIZES, shape)
  )


def _rays_alone(
  environments: land.Land, size: tuple[int, int]
) -> Callable[[], None]:
  """Returns a function that casts a picture's rays, for distances only."""
  views = [environments.state_view(i) for i in range(environments.num_envs)]
  feet = np.stack([view.player_pos for view in views])
  yaw = np.stack([view.yaw for view in views])
  pitch = np.stack([view.pitch for view in views])
  axes = avatar.view_axes(yaw, pitch)
  rays = vision.pixel_rays(
    jnp.asarray(vision.pixel_directions(*size)), avatar.eye(feet), axes
  )
  origins, directions = (
    np.asarray(x, np.float64).reshape(len(views), -1, 3) for x in rays
  )
  batch = _cpu(environments).batch
  return lambda: batch.ray(origins, directions)


def _measure(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float, **changes
) -> tuple[timing.Speed, timing.Speed]:
  """Measures the speed of Land, and of MuJoCo alone on the same work."""
  environments = _land(config, num_envs, **changes)
  recorder = mujoco_alone.Recorder(_cpu(environments))
  environments.physics = recorder
  alone = mujoco_alone.MujocoAlone(
    num_envs,
    environments.config.num_slots,
    environments.config.num_players,
    environments.config.num_threads,
  )
  step = _stepping(environments)
  environments.reset()
  step()
  alone.replay(recorder.take())
  turns = []
  for _ in range(max(3, round(seconds / _TURN_SECONDS))):
    alone.seconds = alone.cpu_seconds = 0.0
    cpu_start, start, steps = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() < start + _TURN_SECONDS or not steps:
      step()
      steps += 1
    taken = time.perf_counter() - start
    cpu_taken = time.process_time() - cpu_start
    alone.replay(recorder.take())
    turns.append((steps, taken, cpu_taken, alone.seconds, alone.cpu_seconds))
  steps, taken, cpu_taken, alone_taken, alone_cpu = np.sum(turns, axis=0)
  return (
    timing.Speed(steps / taken, steps / cpu_taken),
    timing.Speed(steps / alone_taken, steps / alone_cpu),
  )


def env(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Measures steps per second of Land, and their ratio to MuJoCo alone.

  `entities` is compared with MuJoCo's stepping alone, `pixels` (24x18) with its
  stepping and ray casting, of the same worlds under the same controls; `bare`
  in a name stands for MuJoCo alone. Ratios are of processor time, summed over
  all threads, which other work on the machine disturbs least.

  Args:
    config: Config of the environments and their tasks.
    num_envs: Number of environments.
    seconds: Length of each measurement.
  """
  result = {}
  for name, changes in (
    ("", {"observation": "entities"}),
    ("pixels", {"observation": "pixels", "pixels": PIXELS}),
  ):
    whole, alone = _measure(config, num_envs, seconds, **changes)
    observation = name or "entities"
    alone_name = (
      f"env_bare_{name}_steps_per_s" if name else "env_bare_steps_per_s"
    )
    result |= {
      f"env_{observation}_steps_per_s": whole.per_second * num_envs,
      alone_name: alone.per_second * num_envs,
      f"env_{observation}_ratio": whole.per_cpu_second / alone.per_cpu_second,
    }
  return result | {"env_num_envs_count": float(num_envs)}


def pictures(
  config: experiment.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Measures frames per second at several sizes, drawn on the host.

  Args:
    config: Config of the environments and their tasks.
    num_envs: Number of environments.
    seconds: Length of each measurement.
  """
  shade = jax.jit(jax.vmap(vision.shade))
  result = {}
  for size in VISION_SIZES:
    environments = _land(config, num_envs)
    environments.reset()
    width, height = size
    drawn, rays = timing.rates(
      [_drawing(environments, size, shade), _rays_alone(environments, size)],
      seconds,
    )
    name = f"vision_{width}x{height}"
    result[f"{name}_frames_per_s"] = drawn * num_envs
    result[f"{name}_ratio"] = drawn / rays
  return result


def _drawing(environments, size, shade) -> Callable[[], None]:
  """Returns a function that casts a picture's rays and colours it."""
  views = [environments.state_view(i) for i in range(environments.num_envs)]
  feet = np.stack([view.player_pos for view in views])
  axes = avatar.view_axes(
    np.stack([view.yaw for view in views]),
    np.stack([view.pitch for view in views]),
  )
  origins, directions = (
    np.asarray(x).reshape(len(views), -1, 3)
    for x in vision.pixel_rays(
      jnp.asarray(vision.pixel_directions(*size)), avatar.eye(feet), axes
    )
  )
  types = np.stack(
    [
      np.concatenate([[constants.PLAYER_TYPE_IDS[0]], v.slot_types])
      for v in views
    ]
  ).astype(np.int32)
  exclude = np.zeros(origins.shape[:2], np.int32)

  def draw() -> None:
    hits = environments.physics.rays(origins, directions, exclude, normals=True)
    np.asarray(
      shade(origins, directions, hits.distance, hits.node, hits.normal, types)
    )

  return draw
