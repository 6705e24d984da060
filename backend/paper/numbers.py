"""Which label a number stands for in data that numbers them as SocKET does: 0, 1, 2 ... in SocKET's order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labelstudio_config.codebook import Question

# SocKET's names of each task's labels in the order of their numbers (`SOCKET.py`), as ids of our codebooks. Those of
# hasbiasedimplication are by name, before the two are turned round, see `polarity`.
ORDER: Mapping[str, tuple[str, ...]] = {
    "tweet_sentiment": ("negative", "neutral", "positive"),
    "tweet_emotion": ("anger", "joy", "optimism", "sadness"),
    "empathy#empathy_bin": ("low-empathy", "high-empathy"),
    "empathy#distress_bin": ("low-distress", "high-distress"),
    "hypo-l": ("not-hyperbole", "hyperbole"),
    "same-side-pairs": ("not-same-side", "same-side"),
    "hahackathon#is_humor": ("non-humorous", "humorous"),
    "hayati_politeness": ("impolite", "polite"),
    "questionintimacy": (
        *("very-intimate", "intimate", "somewhat-intimate"),
        *("not-very-intimate", "not-intimate", "not-intimate-at-all"),
    ),
    "neutralizing-bias-pairs": ("first-sentence", "second-sentence"),
    "offensiveyn": ("not-offensive", "offensive"),
    "sexyn": ("not-sexism", "sexism"),
    "intentyn": ("not-intentional", "intentional"),
    "hasbiasedimplication": ("not-biased", "biased"),
    "tweet_irony": ("not-ironic", "ironic"),
    "stanfordpoliteness": ("polite", "impolite"),
    "complaints": ("not-complaint", "complaint"),
}
RATINGS = ("emobank#valence", "emobank#arousal", "emobank#dominance", "hahackathon#humor_rating")


def order_of(question: Question, labels: Sequence[str]) -> tuple[str, ...]:
    """The label ids that 0, 1, ... stand for; none where the labels are no such numbers, the question names no SocKET
    task, or its own codes are numbers."""
    order = ORDER.get(question.provenance.socket, ())
    numbers = {str(place) for place in range(len(order))}
    own = {label.code for label in question.labels} | {label.id for label in question.labels}
    return order if labels and set(labels) <= numbers and not numbers & own else ()
