"""Speed of the environments, against MuJoCo alone on the same models."""

import collections
import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from mujoco import batch as mujoco_batch

from envs import avatar, constants, land, sampler, vision
from envs.physics import cpu
from launch import config as config_lib
from launch import timing

PIXELS = (24, 18)
VISION_SIZES = ((24, 18), (48, 36), (96, 72))
_CONTROLS = 30  # Steps whose controls bare stepping repeats.


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


class _BareStepping:
  """Time steps of the same worlds under the same controls, nothing else.

  What a time step costs depends on what moves and touches, so each turn goes
  on from where the environments are, with the controls that took them there.
  """

  def __init__(self, environments: land.Land):
    self._physics = _cpu(environments)
    self._stepping = _stepping(environments)
    self._controls: collections.deque[np.ndarray] = collections.deque(
      maxlen=_CONTROLS
    )
    for _ in range(_CONTROLS):
      self.record()
    worlds = self._physics.batch
    self._batch = mujoco_batch.Batch(
      worlds.get_model(0), worlds.nsim, worlds.nthread, persistent=True
    )
    self.prepare()

  def record(self) -> None:
    """Steps the environments, which is what is to be compared with."""
    self._stepping()
    self._controls.append(self._physics.batch.bind("ctrl").copy())

  def prepare(self) -> None:
    """Copies the worlds as they are now."""
    worlds = self._physics.batch
    self._batch.set_models(worlds.models)
    self._batch.reset()
    self._batch.state[:] = worlds.state

  def step(self) -> None:
    """Simulates one step of all worlds."""
    self._controls.rotate(-1)
    self._batch.bind("ctrl")[:] = self._controls[-1]
    self._batch.step(nstep=self._physics.substeps)


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
  plus bare ray casting; ratios are of processor time, all threads counted,
  which other work on the machine disturbs least.
  """
  entities = _land(config, num_envs, observation="entities")
  bare_stepping = _BareStepping(entities)
  pixels = _land(config, num_envs, observation="pixels", pixels=PIXELS)
  with_entities, with_pixels, steps, rays = timing.speeds(
    [
      bare_stepping.record,
      _stepping(pixels),
      bare_stepping.step,
      _bare_rays(pixels, PIXELS),
    ],
    seconds,
    bare_stepping.prepare,
  )
  bare = timing.Speed(
    *(1 / (1 / a + 1 / b) for a, b in zip(steps, rays, strict=True))
  )
  return {
    "env_entities_steps_per_s": with_entities.per_second * num_envs,
    "env_bare_steps_per_s": steps.per_second * num_envs,
    "env_entities_ratio": with_entities.per_cpu_second / steps.per_cpu_second,
    "env_pixels_steps_per_s": with_pixels.per_second * num_envs,
    "env_bare_pixels_steps_per_s": bare.per_second * num_envs,
    "env_pixels_ratio": with_pixels.per_cpu_second / bare.per_cpu_second,
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
