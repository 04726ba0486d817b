"""What it costs that Ray runs the roles, against the local launcher."""

from collections.abc import Sequence

from adaland.launch.bench import train
from adaland.launch.bench.lib import bench_run

LAUNCHERS = ("local", "ray")
# Runs of each, in turns, so that a slow moment of the machine meets both.
_RUNS = 2
_LEAST_SECONDS = 20.0


def overhead(
  preset: str, seconds: float, settings: Sequence[str] = ()
) -> dict[str, float]:
  """The same training under both launchers, by turns.

  Both have the same roles: learner, replay, curriculum, actors; no evaluator.
  `ray_ratio` compares environment steps a second; `_spread` is how far the
  ratios of single turns lie apart. Other work on the machine spoils it, so
  processor time is compared too, of all processes that a run has started, Ray's
  own included. With a run's processors busy b and its steps s a second,

      ray_extra_cores = b_ray - s_ray b_local / s_local

  are what Ray takes beside what the same steps take without it. Most of that is
  for each second, not for each step; so `ray_cpu_ratio`, of the steps for a
  second of processor time, is low where others leave the run little of the
  machine, and `ray_whole_machine_ratio` is what is left of all processors:

      1 - ray_extra_cores / processors.

  Args:
    preset: Where the run's config starts from.
    seconds: That each of four runs is measured, at least 20; a run takes
      half a minute or more before that.
    settings: What is changed of the preset, as for --set.
  """
  runs: dict[str, list[bench_run.Steady]] = {name: [] for name in LAUNCHERS}
  for _ in range(_RUNS):
    for launcher, found in runs.items():
      found.append(
        bench_run.measure(
          preset, launcher, max(seconds, _LEAST_SECONDS), settings
        )
      )
  return compare(runs["local"], runs["ray"], train.num_cores())


def compare(
  local: Sequence[bench_run.Steady],
  ray: Sequence[bench_run.Steady],
  num_cores: int,
) -> dict[str, float]:
  """Sums up runs of the two launchers, of which each pair was one turn.

  Args:
    local: Runs of the one.
    ray: Runs of the other.
    num_cores: Processors that there are.
  """
  result: dict[str, float] = {}
  for prefix, runs in (("ray_local", local), ("ray", ray)):
    steps = sum(run.steps_per_s for run in runs) / len(runs)
    cores = sum(run.cores for run in runs) / len(runs)
    result |= {
      f"{prefix}_steps_per_s": steps,
      f"{prefix}_busy_cores": cores,
      f"{prefix}_steps_per_cpu_s": steps / cores,
    }
  for name, of in (("ray", "steps_per_s"), ("ray_cpu", "steps_per_cpu_s")):
    ratios = [
      getattr(b, of) / getattr(a, of) for a, b in zip(local, ray, strict=True)
    ]
    result[f"{name}_ratio"] = result[f"ray_{of}"] / result[f"ray_local_{of}"]
    result[f"{name}_ratio_spread"] = max(ratios) - min(ratios)
  extra = result["ray_busy_cores"] * (1 - result["ray_cpu_ratio"])
  return {
    **result,
    "ray_extra_cores": extra,
    "ray_whole_machine_ratio": 1 - extra / num_cores,
  }
