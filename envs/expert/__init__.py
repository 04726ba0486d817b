"""The scripted expert, which knows the whole task, hidden rules included.

A planner chooses the rules to fire, a controller the objects and the skills,
and a walker the paths. It normalises scores and makes demonstrations.
"""
