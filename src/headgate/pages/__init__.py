"""How what is known is laid out for people: tables, cards and plots, on a page that needs nothing beside itself.

It knows no model and no endpoint: rooms above fill `parts`, and `page` lays them out.
"""
