"""A curriculum of your own: new tasks, each played until it is solved.

Shorter with --smoke: python examples/own_curriculum.py --workdir=runs/new

    adaland train --workdir=runs/new --recipe=examples/own_curriculum.py:recipe
"""

import argparse

import adaland
from adaland.curriculum import base


class Newest:
  """A curriculum that repeats a task until its last trial pays a second."""

  def __init__(self, sample_task, seed):
    self._sample_task, self._next = sample_task, seed
    self._open: list[int] = []

  def next_tasks(self, n: int) -> list[base.Assignment]:
    """Returns the next n tasks to play; an assignment's key is its index."""
    new = range(self._next, self._next + max(0, n - len(self._open)))
    indices = [*self._open[:n], *new]
    self._open, self._next = self._open[n:], self._next + len(new)
    return [base.Assignment(i, self._sample_task(i), True) for i in indices]

  def report(self, record: base.EpisodeRecord) -> None:
    """Takes in a finished episode; one that a script helped solves nothing."""
    if record.key >= 0 and (record.guided or record.rewards[-1] < 1):
      self._open.append(record.key)

  def state_dict(self) -> dict[str, object]:
    """Returns the state to checkpoint."""
    return {"next": self._next, "open": list(self._open)}

  def load_state_dict(self, state) -> None:
    """Restores the state that `state_dict` returned."""
    self._next, self._open = state["next"], list(state["open"])

  def metrics(self) -> dict[str, float]:
    """Returns numbers to plot."""
    return {"tasks": float(self._next), "unsolved": float(len(self._open))}


def recipe() -> adaland.Experiment:
  """Returns the laptop's experiment with this curriculum."""
  return adaland.presets.laptop(curriculum=Newest)


if __name__ == "__main__":
  parser = argparse.ArgumentParser()
  parser.add_argument("--workdir", default="runs/newest")
  parser.add_argument("--smoke", action="store_true", help="as short as can be")
  args = parser.parse_args()
  short = {"run.max_steps": 300, "run.eval_tasks": 1}
  smoke = adaland.presets.smoke(short, curriculum=Newest)
  agent = adaland.train(smoke if args.smoke else recipe(), args.workdir)
  print(agent.evaluation["agent"])
