"""A page stands alone and is whole, whatever it is filled with."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pages.opened import Page, assert_alone

from headgate.pages.markup import Markup, tag
from headgate.pages.page import laid_out
from headgate.pages.parts import (
    Band,
    Bars,
    Card,
    Cards,
    Drawn,
    Figure,
    Figures,
    Line,
    Note,
    Plot,
    Plots,
    Reading,
    Readings,
    Section,
    Table,
)
from headgate.pages.style import STYLE

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;'</style></svg></title>"


def parts(text: str) -> tuple[Drawn, ...]:
    """One part of each shape, all of whose words are this text."""
    return (
        text,
        Note(text),
        Figures((Figure(text, text, text),)),
        Table(text, (text, text), ((text, text),), shades=((0.5,),), ranges=((0.1, 0.2, 0.3),)),
        Bars(text, text, ((text, 3), (text, 0))),
        Readings((Reading(text, ((text, text),), text),)),
        Plots(
            (
                Plot(
                    text,
                    text,
                    (text, text),
                    (Line(text, (1.0, None), ((0.5, 2.0), None)), Line(text, (2.0, 3.0))),
                    (Band(text, 0.0, 1.0),),
                    ((1, text),),
                ),
            )
        ),
        Cards((Card(text, text, text, loud=True, figures=((text, text, text),), details=((text, text),)),)),
    )


def test_hostile_texts_stay_texts() -> None:
    page = laid_out(HOSTILE, HOSTILE, [Section(HOSTILE, parts(HOSTILE))])
    assert_alone(page)
    found = Page(page)
    assert found.said.count("<script>alert(1)</script>") > 20
    assert not any(name.startswith("on") for _, attributes in found.found for name in attributes)


@given(st.text(max_size=40))
@settings(max_examples=40)
def test_any_text_leaves_the_page_whole(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    page = laid_out(text, text, [Section(text, parts(text))])
    assert Page(page).all("article") == [{"class": "card loud"}]
    page.encode()


def test_each_plot_has_a_name_its_courses_are_named_and_what_is_to_be_seen_is_said() -> None:
    page = laid_out("x", "y", [Section("z", parts("word"))])
    found = Page(page)
    for each in found.all("svg"):
        assert each.get("aria-hidden") == "true" or (each.get("role") == "img" and each.get("aria-label"))
    assert len(found.all("title")) == 2, "the page's and the plot's"
    assert [each["class"] for each in found.all("ul")] == ["legend"]
    assert [each["class"] for each in found.all("p") if each.get("class") == "says"] == ["says"]


def test_a_long_table_is_cut_where_it_says_so() -> None:
    rows = tuple((str(each), "1") for each in range(60))
    cut = laid_out("x", "y", [Section("z", (Table("t", ("", "n"), rows),))])
    whole = laid_out("x", "y", [Section("z", (Table("t", ("", "n"), rows, most=60),))])
    assert ("and 10 more" in cut, "more</p>" in whole) == (True, False)


def test_it_has_looks_for_light_dark_and_paper_and_every_colour_it_names() -> None:
    for query in ("@media (prefers-color-scheme: dark)", "@media print"):
        assert query in STYLE
    named = set(re.findall(r"var\((--[a-z0-9]+)", STYLE)) - {"--look", "--shade"}
    assert named <= set(re.findall(r"(--[a-z0-9]+):", STYLE))


def _luminance(colour: str) -> float:
    """Relative luminance of sRGB, by WCAG 2.2."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_letters_and_courses_stand_out_from_their_ground() -> None:
    looks = [
        dict(re.findall(r"(--[a-z0-9]+): (#[0-9a-f]{6})", each)) for each in re.findall(r":root \{(.*?)\}", STYLE, re.S)
    ]
    assert len(looks) == 3
    for look in looks:
        for name in ("--ink", "--quiet", "--mark", "--warn", "--s1", "--s2", "--s3", "--s4"):
            for ground in ("--ground", "--panel"):
                light, dark = sorted((_luminance(look[name]), _luminance(look[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def test_parts_are_escaped_and_markup_is_not() -> None:
    assert tag("p", "<i>", Markup("<b>")) == "<p>&lt;i&gt;<b></p>"
    assert tag("p", aria_label='"<&') == '<p aria-label="&quot;&lt;&amp;"></p>'
    assert tag("meta", name="x") == '<meta name="x">'
