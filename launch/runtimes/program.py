"""Makes the roles of a run: what each takes, where it goes, what it knows."""

import pathlib
from collections.abc import Callable
from typing import Any

from adaland.agent.replay import factory
from adaland.launch import errors
from adaland.launch.config import experiment as config
from adaland.launch.roles import actor as actor_role
from adaland.launch.roles import (
  curriculum_server,
  env_vars,
  evaluator,
  learner_worker,
  parameters,
  peer,
  replay_server,
  role,
)
from adaland.launch.roles import learner as learner_role
from adaland.launch.runtimes import ray_cluster

# Besides its own work a role answers `stats` and what others ask of it.
_THREADS = 8
# What each follower may ask of the leader at a time.
_FOLLOWER_THREADS = 3
_NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
_ROOT = str(pathlib.Path(__file__).parents[3])


def check(experiment: config.ExperimentConfig) -> None:
  """Raises UserError unless the roles that are asked for work together here."""
  with errors.user_input():
    kind = factory.resolve_kind(experiment.replay.kind)
  if experiment.cluster.num_learners > 1 and kind != "reverb":
    raise errors.UserError(
      f"cluster.num_learners is {experiment.cluster.num_learners}, allowed "
      "without a Reverb server (replay.kind): 1"
    )


def _follower(rank: int) -> str:
  """Name of the learner of a rank, from 1."""
  return f"learner {rank}"


class Crew:
  """The handles of a run's roles.

  Args:
    setup: The run.

  Attributes:
    roles: Of all but the actors, by name.

  Raises:
    UserError: If no machine has room for the learner and what goes with it.
  """

  def __init__(self, setup: role.Setup):
    self._setup = setup
    self._config = setup.experiment.cluster
    self.roles: dict[str, Any] = {}
    # Of the first learner and what goes with it, then of each other learner.
    self._places = self._place() if setup.many_machines else []
    self._board = self._make("board", parameters.Board, 0, _NO_ACCELERATOR)
    self._desk = self._make(
      "curriculum", curriculum_server.DeskRole, 0, _NO_ACCELERATOR, setup
    )
    kind = setup.experiment.replay.kind
    replay = None
    if factory.resolve_kind(kind) == "reverb":
      replay = self._make(
        "replay",
        replay_server.ReplayRole,
        self._config.replay_cpus,
        _NO_ACCELERATOR,
        setup,
        self._board,
      )
    followers = range(1, self._config.num_learners)
    learner = self._make_learner(
      "learner",
      0,
      learner_role.LearnerRole,
      setup,
      self._board,
      self._desk,
      replay,
      [peer.RayPeer(_follower(rank)) for rank in followers],
    )
    for rank in followers:
      self._make_learner(
        _follower(rank),
        rank,
        learner_worker.FollowerRole,
        rank,
        setup,
        self._board,
        learner,
      )
    self._store = learner if replay is None else None
    if self._config.eval_minutes:
      self._make(
        "evaluator",
        evaluator.EvaluatorRole,
        self._config.evaluator_cpus,
        env_vars.actor(),
        setup,
        self._board,
        place=None,
      )

  def _make_learner(
    self, name: str, rank: int, make: Callable[..., Any], *args: Any
  ) -> peer.RayPeer:
    gpus = self._gpus()
    # Several may share a machine, but not an accelerator.
    alone = self._config.num_learners == 1 and not self._setup.many_machines
    return self._make(
      name,
      make,
      self._config.learner_cpus,
      env_vars.learner() | ({} if gpus or alone else _NO_ACCELERATOR),
      *args,
      gpus=gpus,
      place=rank,
      threads=_THREADS + _FOLLOWER_THREADS * (self._config.num_learners - 1),
    )

  def actor(self, index: int) -> Any:
    """Makes an actor."""
    return self._remote(
      actor_role.ActorRole,
      f"actor {index}",
      self._config.actor_cpus,
      env_vars.actor(),
      scheduling_strategy="SPREAD",
    ).remote(index, self._setup, self._board, self._desk, self._store)

  def _gpus(self) -> int:
    import ray

    if self._config.learner_gpus is not None:
      return self._config.learner_gpus
    total = ray.cluster_resources().get("GPU", 0)
    return int(total >= self._config.num_learners)

  def _place(self) -> list[Any]:
    """Takes room for the learners: the first with the replay server.

    Each is given a machine of its own if there are enough.
    """
    import ray

    takes, gpus = self._config, float(self._gpus())
    bundles = [
      {"CPU": takes.learner_cpus + cpus, "GPU": gpus}
      for cpus in (takes.replay_cpus, *[0.0] * (takes.num_learners - 1))
    ]
    bundles = [
      {name: amount for name, amount in bundle.items() if amount}
      for bundle in bundles
    ]
    bundles = [bundle for bundle in bundles if bundle]
    if not bundles:
      return []
    group = ray.util.placement_group(bundles, strategy="SPREAD")
    if not group.wait(takes.ready_seconds):
      first, *others = (
        " and ".join(f"{n:g} {name}" for name, n in bundle.items())
        for bundle in bundles
      )
      also = f", or others have not {others[0]} each" if others else ""
      raise errors.UserError(
        f"no machine of the cluster has {first} for the learner and its "
        f"replay server{also} (waited {takes.ready_seconds:g} s; "
        f"{ray_cluster.resources()}); see cluster.learner_cpus, "
        "cluster.learner_gpus, cluster.replay_cpus, cluster.num_learners"
      )
    make = ray.util.scheduling_strategies.PlacementGroupSchedulingStrategy
    return [
      make(group, placement_group_bundle_index=i) for i in range(len(bundles))
    ]

  def _make(
    self,
    name: str,
    make: Callable[..., Any],
    cpus: float,
    env: dict[str, str],
    *args: Any,
    gpus: int = 0,
    place: int | None = 0,
    **more: Any,
  ) -> peer.RayPeer:
    if place is not None and place < len(self._places):
      more["scheduling_strategy"] = self._places[place]
    remote = self._remote(make, name, cpus, env, gpus=gpus, **more)
    self.roles[name] = remote.remote(*args)
    return peer.RayPeer(name)

  def _remote(
    self,
    make: Callable[..., Any],
    name: str,
    cpus: float,
    env: dict[str, str],
    gpus: int = 0,
    threads: int = _THREADS,
    **more: Any,
  ) -> Any:
    """A class of Ray's that makes a role and keeps it alive."""
    import ray

    return ray.remote(make).options(
      name=name,
      # On the one machine that there is, room is not what decides.
      num_cpus=cpus if self._setup.many_machines else 0,
      num_gpus=gpus,
      max_restarts=-1,
      max_task_retries=-1,
      max_concurrency=threads,
      # Ray's control store would keep a record of each of the last 100,000
      # calls, for a dashboard that there is not: memory and time.
      enable_task_events=False,
      runtime_env={"env_vars": {"PYTHONPATH": _ROOT, **env}},
      **more,
    )
