"""Tasks: goals for an agent, in a world with objects and rules.

`task.Task` is the dataclass; it converts exactly to and from arrays and JSON
files. The probe tasks, the symbolic planner and the complexity measures are
here too.
"""
