"""Which tasks a person means: all, seen, related, a family, or names."""

from __future__ import annotations

from collections.abc import Sequence

from backend.paper.offer import Offer, SourceError
from labelstudio_config.tasks import FAMILIES, TUNINGS

ALL, FAMILY = "all", "family:"  # `family:humor` where a task has the same name
SHORTEST = 3  # letters of the beginning of a family's name


def chosen_of(offers: Sequence[Offer], chosen: str) -> list[Offer]:
    """Those of the offers that `chosen` names, in their order: all, seen, related, the beginning of a family's name
    (after `family:` where a task has that name too), or names of tasks, several with commas. SourceError lists what
    there is."""
    words = [word.strip() for word in chosen.split(",") if word.strip()] or [ALL]
    wanted: set[int] = set()
    for word in words:
        found = [n for n, offer in enumerate(offers) if _meant(offer, word, offers)]
        if not found:
            raise SourceError(f"There is no task '{word}' in this data. {known(offers)}")
        wanted.update(found)
    return [offer for n, offer in enumerate(offers) if n in wanted]


def known(offers: Sequence[Offer]) -> str:
    """What may be chosen, in a sentence."""
    names = dict.fromkeys(offer.name for offer in offers)
    families = [family for family in FAMILIES if any(o.question.provenance.family == family for o in offers)]
    tunings = [tuning for tuning in TUNINGS if any(o.question.provenance.tuning == tuning for o in offers)]
    groups = ", ".join([ALL, *tunings, *(f"'{FAMILY}{family}'" for family in families)])
    return f"There are: {', '.join(names)}; or take a group: {groups}."


def plain(name: str) -> str:
    """What is compared of a task's name: no case; spaces, '_', '#' and '-' are the same.

    >>> plain("emobank#Arousal"), plain("intent_to_offend")
    ('emobank-arousal', 'intent-to-offend')
    """
    for between in (" ", "_", "#"):
        name = name.replace(between, "-")
    return name.casefold().strip("-")


def _meant(offer: Offer, word: str, offers: Sequence[Offer]) -> bool:
    origin = offer.question.provenance
    if word.casefold().startswith(FAMILY):
        return _of_family(offer, word[len(FAMILY) :])
    if word.casefold() == ALL:
        return True
    if word.casefold() in TUNINGS:
        return origin.tuning == word.casefold()
    if any(plain(word) in _names(one) for one in offers):  # 'humor' is a task before it is a family
        return plain(word) in _names(offer)
    return _of_family(offer, word)


def _of_family(offer: Offer, word: str) -> bool:
    start = " ".join(word.casefold().split())
    return len(start) >= SHORTEST and offer.question.provenance.family.startswith(start)


def _names(offer: Offer) -> set[str]:
    return {plain(name) for name in (offer.name, offer.question.id, *offer.called) if name}
