"""What a new version has to show before it may take the place of an old one, and what becomes of it afterwards.

`prove.prove` judges under `terms` the answers that `ask.ask` collected; `report` tells the outcome; `anchor` keeps
margins from being given away one by one; `probation` lets the old version's shadow take the new one back.
"""
