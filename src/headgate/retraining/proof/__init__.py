"""What a new version has to show before it may take the place of an old one, and what becomes of it afterwards.

`prove.prove` judges answers that `ask.ask` collected under `terms`; `report` tells the outcome; `anchor` keeps margins from
being given away one by one; `probation` lets the old version's shadow take the new one back.
"""
