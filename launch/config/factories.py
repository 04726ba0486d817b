"""References to the parts of a run that its user has written."""

import dataclasses
import os

from adaland.launch import errors
from adaland.launch.config import references

# The fields that name an object to be imported.
NAMES = ("memory", "curriculum", "environment", "tasks")


@dataclasses.dataclass(frozen=True)
class FactoriesConfig:
  """A user's own parts, empty where the platform's are used.

  References are "module:name" or "/folder/script.py:name". All processes of a
  run import them.

  Attributes:
    recipe: The function that returned the experiment.
    memory: A memory that replaces the one that `network.memory` names.
    curriculum: A curriculum that replaces the one that `curriculum` describes.
    environment: A subclass of `Land`, or a function that returns one. Agents
      are trained and evaluated in it.
    tasks: A task family or a function of an index, or the absolute path of a
      folder of task files, that replaces the tasks drawn from `tasks`.
  """

  recipe: str = ""
  memory: str = ""
  curriculum: str = ""
  environment: str = ""
  tasks: str = ""

  def __post_init__(self):
    if self.recipe:
      references.check(self.recipe, "factories.recipe")
    if self.tasks and ":" not in self.tasks and not self.has_folder:
      raise errors.UserError(
        f"factories.tasks is {errors.shown(self.tasks)}, allowed: module:name, "
        "/folder/script.py:name, or the absolute path of a folder of task "
        "files (tasks.family takes the name of a family)"
      )
    for name, value in self.code.items():
      references.check(value, f"factories.{name}")

  @property
  def has_folder(self) -> bool:
    """True if `tasks` is the path of a folder of task files."""
    return os.path.isabs(self.tasks) and ".py:" not in self.tasks

  @property
  def code(self) -> dict[str, str]:
    """The references of code that every process imports, by name."""
    return {
      name: value
      for name in NAMES
      if (value := getattr(self, name))
      and not (name == "tasks" and self.has_folder)
    }

  def refuse_unless(self, own_parts: bool) -> None:
    """Refuses a config that was read from a file and names code to import.

    Args:
      own_parts: True if the user allows the code to be imported.

    Raises:
      UserError: If there is such code and it is not allowed.
    """
    named = [f"{name} {value}" for name, value in self.code.items()]
    if named and not own_parts:
      raise errors.UserError(
        f"names code to import ({', '.join(named)}), allowed only "
        "with --own_parts (own_parts=True)"
      )

  def share(self) -> None:
    """Lets child processes import what this process can.

    Raises:
      UserError: If something can't be imported, or there is no such object.
    """
    for name, value in self.code.items():
      references.resolve(value, f"factories.{name}")
      references.share_folder_of(value)
