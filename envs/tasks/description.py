"""Descriptions of tasks in words."""

from adaland.envs.tasks.task import Task


def describe(task: Task) -> str:
  """Returns a task in words, with the parts hidden from each player."""
  world = task.world
  ground = "flat" if world.levels == 1 else f"{world.levels} levels"
  for count, name in (
    (world.walls, "inner wall"),
    (world.diagonals * (world.levels > 1), "diagonal cliff"),
  ):
    if count:  # At most as many as fit.
      ground += f", up to {count} {name}{'s' * (count > 1)}"
  lines = [task.name] if task.name else []
  lines.append(
    f"World: {world.tiles[0]} x {world.tiles[1]} tiles, {ground}, "
    f"seed {world.seed}"
  )
  for i, player in enumerate(task.players):
    lines.append(f"Goal of player{i + 1}: {player.goal}")
  lines.append("Objects:" if task.objects else "Objects: none")
  for spec in task.objects:
    placed = [f"({at[0]:g}, {at[1]:g})" for at in spec.at if at is not None]
    lines.append(
      f"  {spec.count} x {spec.type}"
      + (", frozen" if spec.frozen else "")
      + (f", at {', '.join(placed)}" if placed else "")
    )
  lines.append("Rules:" if task.rules else "Rules: none")
  for number, rule in enumerate(task.rules, start=1):
    unaware = [
      f"player{i + 1}"
      for i, hiding in enumerate(task.hiding)
      if number in hiding.rules
    ]
    hidden = f"  [hidden from {' and '.join(unaware)}]" if unaware else ""
    lines.append(f"  {number}. {rule}{hidden}")
  for i, hiding in enumerate(task.hiding):
    masked = [*map(str, hiding.objects), *hiding.predicates]
    if masked:
      lines.append(
        f"Masked in the rules for player{i + 1}: {', '.join(masked)}"
      )
  lines.append(
    f"Trials: {task.trials} of {task.trial_seconds:g} s "
    f"({task.trial_steps} steps)"
  )
  return "\n".join(lines)
