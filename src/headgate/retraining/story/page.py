"""A story as one page that needs nothing beside itself."""

from headgate.pages.page import laid_out
from headgate.pages.parts import Drawn, Note, Section, Table
from headgate.retraining.story.story import Chapter, Story, moment


def as_page(story: Story) -> str:
    """All of it; whatever comes from data is escaped.

    >>> page = as_page(Story(id="m:1", project="default", endpoint="", title="How <m:1>", short="", chapters=()))
    >>> "<h1>How &lt;m:1&gt;</h1>" in page
    True
    """
    return laid_out(story.title, story.short, [*sections(story), *_others(story)])


def sections(story: Story) -> list[Section[Drawn]]:
    """Its chapters."""
    return [Section(each.title, _parts(each)) for each in story.chapters]


def _parts(chapter: Chapter) -> tuple[Drawn, ...]:
    return tuple(Note(f"missing: {each.says}") if each.missing else each.says for each in chapter.sentences)


def _others(story: Story) -> list[Section[Drawn]]:
    if not story.others:
        return []
    rows = tuple((each.id, moment(each.at), each.says) for each in story.others)
    return [Section("Other changes", (Table("The newest first", ("id", "when", "what"), rows, left=3),))]
