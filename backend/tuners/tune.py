"""From an engine, a question and labelled texts to an adapter: each engine's own tuner."""

from __future__ import annotations

from pathlib import Path

from backend.engines.adapter import Manifest
from backend.engines.causal import CausalEngine
from backend.engines.classifier import ClassifierEngine
from backend.engines.encoder import EncoderEngine
from backend.engines.protocol import Engine
from backend.engines.remote import RemoteEngine
from backend.tuners.lora import tune_causal
from backend.tuners.targets import TrainingError
from backend.tuners.training import Labelled, Options, Report
from labelstudio_config.codebook import Question


def tune(
    engine: Engine,
    question: Question,
    labelled: Labelled,
    folder: Path,
    options: Options,
    *,
    work: Path,
    snapshot: str,
    parent: str | None,
    report: Report,
) -> Manifest:
    """Train an adapter for the question on these labels, and write it to `folder`, which must not exist.

    `work` is a folder for checkpoints, kept between attempts of the same run; `snapshot` the hash of the training set,
    `parent` the digest of the adapter that is replaced. `TrainingError` or `EngineError` say in a sentence why nothing
    was learned; nothing has changed then.
    """
    if isinstance(engine, CausalEngine):
        return tune_causal(
            engine, question, labelled, folder, options, work=work, snapshot=snapshot, parent=parent, report=report
        )
    if isinstance(engine, EncoderEngine):
        from backend.tuners.encoder_lora import tune_encoder

        return tune_encoder(
            engine, question, labelled, folder, options, work=work, snapshot=snapshot, parent=parent, report=report
        )
    if isinstance(engine, RemoteEngine):
        raise TrainingError(
            f"The weights of '{engine.identity.base}' are on a server, where nothing can be trained from here. Export "
            "the labels (socialite snapshot export), train where the weights are, and bring the adapter back "
            "(socialite adapters register)."
        )
    if isinstance(engine, ClassifierEngine):
        raise TrainingError(
            f"The encoder {engine.folder.name} was trained as a whole and takes no adapters. Train it anew with your "
            "labels among its data (socialite train-encoder --data project:KEY), or choose the encoder it was made "
            "from."
        )
    raise TrainingError(
        f"The engine '{engine.identity.engine}' has no weights to train. Choose one that has: encoder or causal."
    )
