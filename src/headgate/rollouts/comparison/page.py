"""A comparison as one HTML page that needs nothing beside itself.

Called by the demo of people; of an endpoint it is a part of its page.
"""

from headgate.pages.page import laid_out
from headgate.rollouts.comparison.sections import sections, subtitle, title
from headgate.rollouts.comparison.values import Comparison


def as_page(found: Comparison) -> str:
    """All of it as a page; whatever comes from data is escaped.

    >>> from headgate.rollouts.comparison.values import Side
    >>> live, shadow = (Side(name=name, role=role, versions=(name,), asked=0, answered=0)
    ...                 for name, role in (("m:1", "live"), ("<b>", "shadow")))
    >>> page = as_page(Comparison(task="binary", live=live, candidate=shadow, alpha=0.05, inputs=0))
    >>> page.startswith("<!doctype html>"), "<h1>&lt;b&gt; (shadow) beside m:1 (live)</h1>" in page
    (True, True)
    """
    return laid_out(title(found), subtitle(found), sections(found))
