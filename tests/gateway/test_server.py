"""A gateway's end: what it took at its beginning is given back."""

import gc
from typing import Any


def test_what_was_kept_from_the_collector_is_given_back(play: Any) -> None:
    gc.unfreeze()

    async def scene(_: Any) -> None:
        assert gc.get_freeze_count() > 0

    play(lambda town: town.serve_one(), scene)
    assert gc.get_freeze_count() == 0
