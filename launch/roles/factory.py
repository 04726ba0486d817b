"""Makes a role of a run from its name, in the process that runs it."""

from collections.abc import Callable

from adaland.agent.replay import factory
from adaland.launch.roles import parameters, peer, role


def has_replay_server(setup: role.Setup) -> bool:
  """Returns True if the store is a Reverb server, not in the learner.

  Raises:
    ValueError: If the config requests a kind of store that is not installed.
  """
  return factory.resolve_kind(setup.experiment.replay.kind) == "reverb"


def worker_name(rank: int) -> str:
  """Returns the name of the learner of a rank, from 1."""
  return f"learner {rank}"


def make(
  name: str,
  setup: role.Setup,
  connect: Callable[[str], peer.Peer],
  store: parameters.Store,
) -> role.Role:
  """Makes a role.

  Args:
    name: "parameters", "curriculum", "replay", "learner", "learner K" from 1,
      "actor K" from 0, or "evaluator".
    setup: The run.
    connect: Returns a peer by its name.
    store: Keeps parameters.
  """
  # Imported where used: an actor process must not load the packages that only a
  # learner needs, which take time and memory.
  kind, _, number = name.partition(" ")
  if kind == "parameters":
    return parameters.ParameterServer(setup)
  if kind == "curriculum":
    from adaland.launch.roles import curriculum_server

    return curriculum_server.CurriculumServer(setup)
  server = connect("parameters")
  if kind == "replay":
    from adaland.launch.roles import replay_server

    return replay_server.ReplayServer(setup, server)
  if kind == "actor":
    from adaland.launch.roles import actor
    from adaland.launch.run import dispatch

    dispatch.run_inline()
    learner = None if has_replay_server(setup) else connect("learner")
    return actor.Actor(
      int(number), setup, server, connect("curriculum"), learner, store
    )
  if kind == "evaluator":
    from adaland.launch.roles import evaluator
    from adaland.launch.run import dispatch

    dispatch.run_inline()
    return evaluator.Evaluator(setup, server, store)
  if number:
    from adaland.launch.roles import learner_worker

    return learner_worker.LearnerWorker(
      int(number), setup, server, connect("learner")
    )
  from adaland.launch.roles.learner import Learner

  return Learner(
    setup,
    server,
    connect("curriculum"),
    connect("replay") if has_replay_server(setup) else None,
    [connect(worker_name(rank)) for rank in range(1, setup.num_learners)],
    store,
  )
