"""A story for terminals, and as Markdown for issues and pull requests."""

import textwrap
from typing import Final

from headgate.retraining.story.story import Sentence, Story, moment

_WIDTH: Final = 110


def as_text(story: Story) -> str:
    """For a terminal."""
    lines = [story.title, "", *textwrap.wrap(story.short, _WIDTH)]
    for each in story.chapters:
        lines += ["", each.title]
        for sentence in each.sentences:
            lines += textwrap.wrap(_says(sentence), _WIDTH, initial_indent="  ", subsequent_indent="    ")
    if story.others:
        lines += ["", "Other changes"]
        lines += [f"  {each.id}  {moment(each.at)}  {each.says}" for each in story.others]
    if story.gaps:
        lines += ["", f"{len(story.gaps)} of the links are missing; each says so in its place."]
    return "\n".join(lines)


def as_markdown(story: Story, *, level: int = 1) -> str:
    """As Markdown; its title is a heading of `level`."""
    head = "#" * level
    lines = [f"{head} {escaped(story.title)}", "", escaped(story.short), ""]
    for each in story.chapters:
        lines += [f"{head}# {each.title}", ""]
        lines += [f"- {escaped(_says(sentence))}" for sentence in each.sentences]
        lines.append("")
    return "\n".join(lines)


def escaped(text: str) -> str:
    r"""`text` so that Markdown shows it as it is.

    >>> escaped("a|b <i>*now*</i>")
    'a\\|b &lt;i&gt;\\*now\\*&lt;/i&gt;'
    """
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in ("\\", "*", "`", "[", "|"):
        plain = plain.replace(sign, f"\\{sign}")
    return " ".join(plain.split())


def _says(sentence: Sentence) -> str:
    return f"Missing: {sentence.says}" if sentence.missing else sentence.says
