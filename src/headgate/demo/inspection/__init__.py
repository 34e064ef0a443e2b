"""A line of phones, a person who looks at each, and a model that would like to: called by ``headgate demo inspection``.

The surfaces are drawn, or come from a folder of somebody's own pictures; the people are simulated. Everything between
them, from the picture's bytes to the verdict, is what a user has.
"""
