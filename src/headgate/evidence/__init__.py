"""Numbers that may be looked at at every moment and still keep their stated error rate.

E-processes, allocation tests, e-detectors, conformal martingales, confidence sequences and multiple testing,
in NumPy alone. Rollouts and monitors read them; nothing here knows what an endpoint is.
"""
