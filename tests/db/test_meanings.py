from __future__ import annotations

from db import meanings, revisions
from labelstudio_config.codebook import Codebook
from tests.db.world import World, codebook


def test_what_was_said_last_of_two_revisions_is_in_force(world: World) -> None:
    project, humor = world.project.id, world.questions["humor"]
    with world.store.writing() as s:
        first = revisions.current(s, project)
        second = revisions.register(s, project, Codebook("posts", "Others", codebook().questions), "<View/>")
        assert first is not None
        said = meanings.say(s, project, humor, first.id, second.id, by="Ada", reason="A typo.")
        other = meanings.say(s, project, world.questions["offense"], first.id, second.id, by="Ada", reason="A typo.")
        assert meanings.in_force(s, project) == [said, other]
        meanings.say(s, project, humor, second.id, first.id, unchanged=False, by="Bea", reason="No.")
        assert meanings.in_force(s, project) == [other], "whichever revision is named first"
        again = meanings.say(s, project, humor, first.id, second.id, by="Ada", reason="Yes.")
        assert meanings.in_force(s, project) == [other, again]
        assert meanings.in_force(s, project + 1) == []
