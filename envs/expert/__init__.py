"""The scripted expert, which knows the whole task, hidden rules included.

A planner chooses the rules to fire, a controller the objects and the skills,
and a walker the paths. The expert is used to normalise scores and to make
demonstrations.
"""
