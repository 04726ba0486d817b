"""Tasks: what an agent is to do, in which world, by which rules.

`task.Task` is the dataclass; it has two exact inverses, arrays and JSON files.
The probe tasks, the symbolic planner and the complexity measures are here too.
"""
