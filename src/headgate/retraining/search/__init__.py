"""The built-in learner for tables: tries several kinds of models within a budget of time, and says which and why.

Nothing leaves the process. `search` is its one verb; what it gives is a scikit-learn pipeline, of which the registry
makes ONNX that answers exactly alike, and a leaderboard.
"""
