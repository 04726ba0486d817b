"""Studies: variants of an agent, trained and measured alike.

`table` has the studies as data, `running` trains and measures, the others draw
and write the pages in results/studies.
"""
