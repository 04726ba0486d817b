"""Stand-ins for Slurm's commands, for a job on hosts of `hosts.Network`."""

import os
import pathlib
import sys
from collections.abc import Sequence

from tests.launch.runtimes import hosts

SCRIPT = str(
  pathlib.Path(__file__).parents[3]
  / "launch"
  / "runtimes"
  / "deploy"
  / "slurm.sbatch"
)
# Both read the job from the environment, as Slurm's own commands do.
_SCONTROL = """#!/usr/bin/env bash
[ "$1 $2" = "show hostnames" ] || exit 1
tr , '\\n' <<<"$3"
"""
_SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do
  case $1 in
    --nodelist=*) node=${1#*=} ;;
    --overlap | --nodes=1 | --ntasks=1) ;;
    *) echo "srun: $1?" >&2; exit 1 ;;
  esac
  shift
done
for entry in $FAKE_SLURM_HOSTS; do
  if [ "${entry%=*}" = "$node" ]; then
    exec nsenter --net=/proc/"${entry#*=}"/ns/net "$@"
  fi
done
echo "srun: no node $node" >&2
exit 1
"""


def environment(
  folder: str, nodes: Sequence[hosts.Host], cpus: int
) -> dict[str, str]:
  """Returns the environment of a job's script; nodes are named by address.

  Args:
    folder: Folder for the stand-ins.
    nodes: The hosts; the script is started on the first.
    cpus: Processors of each node.
  """
  for name, text in (("scontrol", _SCONTROL), ("srun", _SRUN)):
    path = pathlib.Path(folder, name)
    path.write_text(text)
    path.chmod(0o700)
  return {
    "ADALAND_PYTHON": sys.executable,
    "PATH": f"{folder}:{os.environ['PATH']}",
    "SLURM_JOB_ID": str(os.getpid()),
    "SLURM_JOB_NODELIST": ",".join(node.address for node in nodes),
    "SLURM_CPUS_PER_TASK": str(cpus),
    "FAKE_SLURM_HOSTS": " ".join(f"{n.address}={n.pid}" for n in nodes),
  }
