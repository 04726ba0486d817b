"""An agent of your own in the platform's worlds.

Any function from a step to actions is a policy. This one walks to the first
object that it sees and is no match for the scripted expert.

    python examples/own_agent.py
"""

import argparse

import numpy as np

import adaland

# The heads of an action: move, strafe, turn, look, grip, hand.
FORWARD, LEFT, AHEAD, RIGHT = 2, 4, 2, 0


def greedy(step: adaland.Step) -> np.ndarray:
  """Turns to the first visible object and walks to it.

  Args:
    step: Step of N environments. Its entities are [N, slots, features]: whether
      the object is in view, then its position ahead, to the left and up, in
      units of 10 m.
  """
  entities = step.observation["entities"]
  rows = np.arange(len(entities))
  seen = entities[..., 0] > 0
  target = entities[rows, seen.argmax(axis=1)]
  left = target[:, 2]
  turn = np.where(left > 0.02, LEFT, np.where(left < -0.02, RIGHT, AHEAD))
  actions = np.tile([1, 1, AHEAD, 1, 0, 1], (len(entities), 1))
  actions[:, 0] = np.where(seen.any(axis=1), FORWARD, 1)
  actions[:, 2] = np.where(seen.any(axis=1), turn, LEFT)
  return actions


def main() -> None:
  """Plays a thousand steps, then evaluates the policy."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("--smoke", action="store_true", help="as short as can be")
  smoke = parser.parse_args().smoke
  env = adaland.make("laptop", num_envs=4 if smoke else 64, seed=0)
  step = env.reset()
  reward = np.zeros(env.num_envs)
  for _ in range(20 if smoke else 1000):
    step = env.step(greedy(step))
    reward += step.reward
  print(f"seconds of reward: {reward.sum():.1f}")
  tasks, trials = (2, (1,)) if smoke else (50, (1, 2, 4))
  print(adaland.evaluate(greedy, "laptop", trials=trials, num_tasks=tasks))


if __name__ == "__main__":
  main()
