"""Numbers that may be looked at at every moment and still keep their stated error rate.

A mixture of bets underneath (`mixture`), tests of means, rates and quantiles on top (`betting`, `allocation`,
`exceedance`, `blocks`), then intervals, several at once, and what they cost (`confidence`, `multiple`, `planning`).
Whether something has changed since some moment: `detector` of means, `conformal` of anything that has a score, by the
`ranks` it takes, with a warning where neighbours are alike (`serial`), alarms as rare as `false_alarms` says.
`asymptotic` is shown, and nothing is decided by it. NumPy alone. Rollouts and monitors read them; nothing here knows
what an endpoint is.
"""
