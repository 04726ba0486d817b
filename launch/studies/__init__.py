"""Studies: variants of an agent, trained and measured in the same way.

`table` has the studies as data, `running` trains and measures, and the other
modules draw and write the pages in results/studies.
"""
