"""A sentence encoder that learns: a LoRA on its layers and a head on its embeddings, from the zero-shot scores on.

A zero-shot score is a similarity, so it is a linear function of an embedding. With that function for a head, an encoder
whose LoRA has learned nothing yet scores as it does without labels, in one pass. What is learned is what the LoRA does
to the embeddings, and what is added to the head; that costs as much as in `backend.tuners.logistic`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.engines.embeddings import Embedder
from backend.engines.encoder import EncoderEngine, Prior
from backend.engines.head import Head, features, similar
from backend.engines.pooling import Ids
from backend.engines.protocol import Family
from backend.tuners.design import coordinates
from backend.tuners.encoder_lessons import Array, Lessons
from backend.tuners.logistic import BIAS_COST
from backend.tuners.targets import TrainingError
from backend.tuners.training import Options
from backend.tuners.validation import USUAL
from labelstudio_config.codebook import Question

Tensors = dict[str, Any]
RATE, HEAD_RATE = 20.0, 100.0  # times the rate of a large model: the LoRA's of a small one, and the head's (measured)
DECAY = 0.01
READ = 32  # texts scored at once
QUERY_VALUE = ["query", "value", "q_proj", "v_proj", "q_lin", "v_lin", "q", "v"]  # as encoders name them


class Learner:
    """An encoder of its own with a LoRA, and the head over it. `prior` tells the embeddings of the `taught` texts."""

    def __init__(
        self, engine: EncoderEngine, question: Question, prior: Prior, taught: Lessons, options: Options
    ) -> None:
        import torch

        own = engine.embedder.another()
        self._reader, device = own.reader, own.model.device
        self._start = similar(engine.prototypes(question), len(question.fields))
        fit = np.flatnonzero(~taught.held)
        self._texts = len(fit)
        dense = features([field[fit] for field in prior.embeddings])
        self._way = replace(coordinates(dense, prior.embeddings[0].shape[1] // 2)[1], onto=None)
        constants = (self._start.weights, self._start.bias, self._way.mean, self._way.scale)
        self._constants = [torch.tensor(x, dtype=torch.float32, device=device) for x in constants]
        self.peft = _with_lora(own, options)
        self._learned: Tensors = {
            "weights": torch.zeros_like(self._constants[0], requires_grad=True),
            "bias": torch.zeros_like(self._constants[1], requires_grad=True),
        }
        lora = {name: part for name, part in self.peft.named_parameters() if part.requires_grad}
        self._optimizer = torch.optim.AdamW(
            [
                {"params": list(lora.values()), "top": options.rate * RATE, "weight_decay": DECAY},
                {"params": list(self._learned.values()), "top": options.rate * HEAD_RATE, "weight_decay": 0.0},
            ]
        )
        self._learned |= lora

    def step(self, part: Lessons, share: float) -> float:
        """Learn from these texts at a share of the highest rate; gives back their loss before that."""
        for group in self._optimizer.param_groups:
            group["lr"] = share * group["top"]
        self.peft.train()
        loss = self._loss(part)
        size = self._learned["weights"].square().sum() + BIAS_COST * self._learned["bias"].square().sum()
        self._optimizer.zero_grad()
        (loss + size * USUAL / (2 * self._texts)).backward()
        self._optimizer.step()
        return float(loss.detach())

    def scores(self, part: Lessons) -> Array:
        """Unnormalised log-scores [n, K]."""
        import torch

        self.peft.eval()
        scores = np.zeros(part.goal.shape)
        order = np.array(sorted(range(len(part)), key=lambda n: sum(map(len, part.ids[n]))), dtype=np.intp)
        with torch.inference_mode():
            for start in range(0, len(order), READ):
                rows = order[start : start + READ]
                scores[rows] = self._scores(part.rows(rows).ids).cpu().numpy()
        return scores

    def head(self) -> Head:
        """The head on the tuned embeddings as the engine applies it."""
        weights, bias = (self._learned[name].detach().cpu().numpy().astype(np.float64) for name in ("weights", "bias"))
        added, shift = self._way.raw(weights)
        return replace(
            self._start,
            bias=self._start.bias + bias + shift,
            weights=(self._start.weights + added).astype(np.float32),
        )

    def save(self, folder: Path) -> None:
        """Write the LoRA as peft does."""
        self.peft.save_pretrained(folder, save_embedding_layers=False)

    def learned(self) -> Tensors:
        """A copy of all that is learned."""
        return {name: part.detach().clone() for name, part in self._learned.items()}

    def take(self, learned: Tensors) -> None:
        import torch

        with torch.no_grad():
            for name, part in self._learned.items():
                part.copy_(learned[name])

    def state(self) -> Tensors:
        """What it takes to go on: what is learned, and the optimizer's numbers."""
        return {"learned": self.learned(), "optimizer": self._optimizer.state_dict()}

    def resume(self, state: Tensors) -> None:
        self.take(state["learned"])
        self._optimizer.load_state_dict(state["optimizer"])

    def _loss(self, part: Lessons) -> Any:
        import torch

        scores = self._scores(part.ids)
        goal, weight = (torch.tensor(x, dtype=scores.dtype, device=scores.device) for x in (part.goal, part.weight))
        if part.family is Family.BERNOULLI:
            each = torch.nn.functional.binary_cross_entropy_with_logits(scores, goal, reduction="none")
        else:
            each = -goal * torch.log_softmax(scores, dim=1)
        return (weight * each).sum() / len(part)

    def _scores(self, ids: Sequence[Sequence[Ids]]) -> Any:
        """[n, K], with gradients; the features are those of `engines.head.features`."""
        import torch

        fields = len(ids[0])
        means = self._reader.means([text for item in ids for text in item])
        both = torch.cat([torch.nn.functional.normalize(mean, dim=1) for mean in means], dim=1)
        parts = [both[field::fields] for field in range(fields)]
        x = torch.cat([*parts, parts[0] - parts[1]] if fields == 2 else parts, dim=1)
        weights, bias, mean, scale = self._constants
        return x @ weights + bias + ((x - mean) * scale) @ self._learned["weights"] + self._learned["bias"]


@contextmanager
def drawn(*seed: int) -> Iterator[None]:
    """torch's random numbers from this seed, and afterwards as they were."""
    import torch

    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        yield


def _with_lora(own: Embedder, options: Options) -> Any:
    """The encoder with a LoRA in its layers, as peft wraps it; only the LoRA has gradients."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules="all-linear" if options.targets == "all" else QUERY_VALUE,
        use_rslora=options.rslora,
    )
    try:
        with drawn(options.seed), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # both are asked in ways that transformers will drop
            if options.checkpointing:
                own.model.gradient_checkpointing_enable({"use_reentrant": False})
            return get_peft_model(own.model, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise TrainingError(
            f"The encoder '{own.weights.base}' has no layers of the names that a LoRA is put into "
            f"({', '.join(QUERY_VALUE[:2])} ...). Train with all linear layers, or train the head alone."
        ) from error
