"""Evaluations as `adaland evaluate --json` writes them."""

import json
import pathlib
from typing import Any

from absl.testing import parameterized


def evaluation(
  rewards=((1.0, 2.0), (2.0, 4.0), (9.0, 9.0)), expert=(2.0, 4.0, 0.0), **more
) -> dict[str, Any]:
  """Returns an evaluation on three tasks, of which the last has no score."""
  made = {
    "tasks": [
      {"id": str(i), "trial_rewards": list(row), "expert": best}
      for i, (row, best) in enumerate(zip(rewards, expert, strict=True))
    ],
    "tasks_sha256": "abc",
  }
  return made | more


class FolderTest(parameterized.TestCase):
  """A test with a folder of its own, to which it writes evaluations."""

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def write(self, name: str, content: Any) -> str:
    """Writes text, or an object as JSON; returns the file's path."""
    path = self.folder / name
    path.write_text(
      content if isinstance(content, str) else json.dumps(content)
    )
    return str(path)
