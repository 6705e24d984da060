"""An encoder that learns, all of it, with a head for each question.

A head is a linear layer behind dropout. Exactly one label: softmax and cross-entropy, ordered labels among them, whose
order is not used. Any number: a logistic function for each label. Labels count as often as they occur: macro F1 chooses
the epoch, nothing is weighted. A loss is divided by that of a guess, log K or log 2, so that a question of six labels
does not outweigh one of two (Aghajanyan et al. 2021, Muppet, EMNLP).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.engines import classifier_model
from backend.engines.classifier_model import Body, Row
from backend.engines.protocol import Family
from backend.stats import f1
from backend.tuners.encoder_learner import drawn
from backend.tuners.multitask_subjects import Array, Course, EncoderOptions, Lessons

Tensors = dict[str, Any]
SPREAD = 0.02  # standard deviation of a head's first weights, as transformers takes it


class Learner:
    """The encoder, its heads by question, and the optimizer of both."""

    def __init__(self, body: Body, courses: Sequence[Course], options: EncoderOptions) -> None:
        import torch

        assert options.rate is not None
        self.body, self._options = body, options
        self.heads: dict[str, Any] = {}
        with drawn(options.seed):
            for one in courses:
                head = torch.nn.Linear(body.width, one.fit.goal.shape[1])
                torch.nn.init.normal_(head.weight, std=SPREAD)
                torch.nn.init.zeros_(head.bias)
                self.heads[one.subject.question.id] = head.to(body.device)
        if options.checkpointing:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # asked in a way that transformers will drop
                body.encoder.gradient_checkpointing_enable({"use_reentrant": False})
        self._optimizer = torch.optim.AdamW(self._groups(options.rate, options.decay), lr=options.rate)

    @property
    def parameters(self) -> int:
        """Weights that are learned."""
        return sum(part.numel() for part in self._parameters())

    def step(self, name: str, lessons: Lessons, texts: Any, share: float) -> float:
        """Learn the question from these texts at a share of the highest rate; gives back their loss before that."""
        import torch

        for group in self._optimizer.param_groups:
            group["lr"] = share * group["top"]
        loss = self.gradients(name, lessons, texts)
        torch.nn.utils.clip_grad_norm_(self._parameters(), self._options.clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss

    def gradients(self, name: str, lessons: Lessons, texts: Any) -> float:
        """Compute the gradients of a loss, and the loss."""
        import torch

        self._train(True)
        vectors = self.body.vectors([lessons.rows[n] for n in texts])
        scores = self.heads[name](torch.nn.functional.dropout(vectors, self._options.dropout))
        goal = torch.tensor(lessons.goal[texts], dtype=scores.dtype, device=scores.device)
        loss = _loss(scores, goal, lessons.family)
        loss.backward()
        return float(loss.detach())

    def forget(self) -> None:
        """Drop gradients that were computed for no step."""
        self._optimizer.zero_grad(set_to_none=True)

    def macro_f1(self, name: str, lessons: Lessons) -> float:
        """Macro F1 on these texts, over the labels that occur or are given."""
        marks = chosen(self.scores(name, lessons.rows), lessons.family)
        counted = f1.tally_marks(np.ones((1, len(marks))), lessons.goal > 0, marks)
        return float(f1.macro(f1.f1(counted))[0])

    def scores(self, name: str, rows: Sequence[Row]) -> Array:
        """Unnormalised log-scores [n, K]."""
        self._train(False)
        return classifier_model.scores(self.body, self.heads[name], rows)

    def learned(self) -> Tensors:
        """A copy of all that is learned."""
        parts = {f"encoder.{name}": part for name, part in self.body.encoder.state_dict().items()}
        for question, head in self.heads.items():
            parts |= {f"head.{question}.{name}": part for name, part in head.state_dict().items()}
        return {name: part.detach().cpu().clone().contiguous() for name, part in parts.items()}

    def take(self, learned: Tensors) -> None:
        own = {name.removeprefix("encoder."): x for name, x in learned.items() if name.startswith("encoder.")}
        self.body.encoder.load_state_dict(own)
        for question, head in self.heads.items():
            head.load_state_dict({part: learned[f"head.{question}.{part}"] for part in ("weight", "bias")})

    def state(self) -> Tensors:
        """What it takes to go on: what is learned, and the optimizer's numbers."""
        return {"learned": self.learned(), "optimizer": self._optimizer.state_dict()}

    def resume(self, state: Tensors) -> None:
        self.take(state["learned"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _train(self, learning: bool) -> None:
        self.body.encoder.train(learning)
        for head in self.heads.values():
            head.train(learning)

    def _parameters(self) -> list[Any]:
        return [part for group in self._optimizer.param_groups for part in group["params"]]

    def _groups(self, rate: float, decay: float) -> list[dict[str, Any]]:
        """Biases and what normalises, which have one dimension, are not drawn to zero."""
        heads = [part for head in self.heads.values() for part in head.parameters()]
        found = []
        for parts, top in (
            (list(self.body.encoder.parameters()), rate),
            (heads, rate * self._options.head_rate),
        ):
            for wide in (True, False):
                chosen = [part for part in parts if (part.ndim > 1) == wide]
                found.append({"params": chosen, "top": top, "weight_decay": decay if wide else 0.0})
        return found


def chosen(scores: Array, family: Family) -> Any:
    """Which labels [n, K] are given: the likeliest, or each that is likelier than not."""
    if family is Family.BERNOULLI:
        return scores >= 0
    return scores.argmax(axis=1)[:, None] == np.arange(scores.shape[1])


def _loss(scores: Any, goal: Any, family: Family) -> Any:
    """The mean loss of n texts, 1 for a guess."""
    import torch

    if family is Family.BERNOULLI:
        return torch.nn.functional.binary_cross_entropy_with_logits(scores, goal) / math.log(2)
    return -(goal * torch.log_softmax(scores, dim=1)).sum(1).mean() / math.log(scores.shape[1])
