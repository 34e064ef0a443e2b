"""How data become a training set by themselves: sources, a check with quarantine, transforms, and what follows.

A person writes ``pipeline.yaml``; `pipelinefile` reads it. `run` does its steps one after the other, each of them again
where one failed; what is known between two runs stands in `state`. The steps after the training set (learn, prove, roll
out) are others' work, reached through `ports`.
"""
