"""Rows unlike the reference: one by one, with a stated rate of false alarms, and all together.

`fits` fits a shape on a reference, `shapes` gives a row its score by it, `screen` says what becomes of the row;
`reconstruction` asks whether a window's rows as a whole still have the reference's shape.
"""
