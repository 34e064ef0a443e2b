"""How what a monitor found reaches a person: one alert for one finding, told once, to whoever ought to hear of it.

Read `decide.py` first: findings and time move an alert, purely. `delivery.py` says when the next try of what is to be
told is due, `channels.py` what an operator wrote about ways to tell it; `couriers` are the adapters that carry it.
"""
