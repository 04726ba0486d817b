"""Speed of the environments, against MuJoCo alone on the same models."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from envs import avatar, constants, land, sampler, vision
from envs.physics import cpu
from launch import config as config_lib
from launch import timing

PIXELS = (24, 18)
VISION_SIZES = ((24, 18), (48, 36), (96, 72))


def _land(
  config: config_lib.ExperimentConfig, num_envs: int, **changes
) -> land.Land:
  draw = sampler.TaskSampler(config.tasks).task
  count = iter(range(10**9))
  env = dataclasses.replace(config.env, **changes)
  made = land.Land(num_envs, env, lambda row: draw(next(count)))
  made.reset()
  return made


def _cpu(environments: land.Land) -> cpu.CpuPhysics:
  """The back end that MuJoCo alone is compared with."""
  assert isinstance(environments.physics, cpu.CpuPhysics)
  return environments.physics


def _stepping(environments: land.Land) -> Callable[[], object]:
  """Steps with random actions, new tasks and trials included."""
  rng = np.random.Generator(np.random.PCG64(0))
  shape = (environments.num_envs, len(constants.ACTION_SIZES))
  return lambda: environments.step(
    rng.integers(0, constants.ACTION_SIZES, shape)
  )


def _bare_stepping(environments: land.Land) -> Callable[[], None]:
  """The same models' time steps, with random wanted speeds, nothing else."""
  physics = _cpu(environments)
  rng = np.random.Generator(np.random.PCG64(0))
  control = physics.batch.bind("ctrl")
  speed = constants.WALK_SPEED

  def step() -> None:
    control[:, :2] = rng.uniform(-speed, speed, (len(control), 2))
    physics.batch.step(nstep=physics.substeps)

  return step


def _bare_rays(
  environments: land.Land, size: tuple[int, int]
) -> Callable[[], None]:
  """Casts a picture's rays from the avatars' eyes, distances only."""
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


def env(
  config: config_lib.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Steps a second of Land, and its ratio to MuJoCo alone.

  `entities` against bare stepping, `pixels` (24x18) against bare stepping
  plus bare ray casting.
  """
  entities = _land(config, num_envs, observation="entities")
  spare = _land(config, num_envs, observation="entities")
  pixels = _land(config, num_envs, observation="pixels", pixels=PIXELS)
  with_entities, with_pixels, steps, rays = timing.rates(
    [
      _stepping(entities),
      _stepping(pixels),
      _bare_stepping(spare),
      _bare_rays(pixels, PIXELS),
    ],
    seconds,
  )
  bare = 1 / (1 / steps + 1 / rays)
  return {
    "env_entities_steps_per_s": with_entities * num_envs,
    "env_bare_steps_per_s": steps * num_envs,
    "env_entities_ratio": with_entities / steps,
    "env_pixels_steps_per_s": with_pixels * num_envs,
    "env_bare_pixels_steps_per_s": bare * num_envs,
    "env_pixels_ratio": with_pixels / bare,
    "env_num_envs_count": float(num_envs),
  }


def pictures(
  config: config_lib.ExperimentConfig, num_envs: int, seconds: float
) -> dict[str, float]:
  """Frames a second at several sizes: rays cast, coloured, on the host."""
  shade = jax.jit(jax.vmap(vision.shade))
  result = {}
  for size in VISION_SIZES:
    environments = _land(config, num_envs)
    bare = _bare_rays(environments, size)
    width, height = size
    cast = _drawing(environments, size, shade)
    drawn, rays = timing.rates([cast, bare], seconds)
    name = f"vision_{width}x{height}"
    result[f"{name}_frames_per_s"] = drawn * num_envs
    result[f"{name}_ratio"] = drawn / rays
  return result


def _drawing(environments, size, shade) -> Callable[[], None]:
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
