"""Search of a method's options on validation pairs, with Optuna (an extra)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tiepoint.alignment.fitted import FittedAligner
from tiepoint.alignment.fitting import FitSettings
from tiepoint.alignment.options import Range
from tiepoint.alignment.pairs import PairSet
from tiepoint.encoders.base import Encoder
from tiepoint.errors import InputError, MissingDependencyError
from tiepoint.types import Modality

STUDY = "tuning.sqlite3"


def tuned(
    method: type[FittedAligner],
    encoders: Mapping[Modality, Encoder],
    options: Mapping[str, Any],
    pairs: PairSet,
    val: PairSet,
    settings: FitSettings,
    trials: int,
    tell: Callable[[int, float, float], None],
) -> dict[str, Any]:
    """Return the options with the best rsum on the validation pairs.

    The first trial takes the options as they are. Where `settings` has a checkpoint folder the
    trials are kept there, and a search that was cut short goes on.

    Args:
        method: The method.
        encoders: The encoders by modality.
        options: Options that are fixed.
        pairs: To learn from.
        val: To choose by.
        settings: Seed and checkpoint folder.
        trials: How many fits in all.
        tell: Called after each with its number, its rsum and the best so far.

    Raises:
        MissingDependencyError: Optuna is not installed.
        InputError: The method has nothing to tune beyond the options that are fixed.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            "the package optuna is not installed",
            where="--tune",
            hint="Install it: pip install 'tiepoint[tune]'",
        ) from error
    free = {name: where for name, where in method.tunable.items() if name not in options}
    if not free:
        raise InputError(f"the method {method.method!r} has nothing left to tune", where="--tune")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = None
    if settings.checkpoint is not None:
        settings.checkpoint.mkdir(parents=True, exist_ok=True)
        storage = f"sqlite:///{settings.checkpoint / STUDY}"
    study = optuna.create_study(
        storage=storage,
        study_name=f"{method.method}-{pairs.data_hash[:16]}-{sorted(options.items())!r}",
        sampler=optuna.samplers.TPESampler(seed=settings.seed),
        direction="maximize",
        load_if_exists=True,
    )
    if not study.trials:
        defaults = method.Options.model_validate(dict(options)).model_dump()
        study.enqueue_trial({name: defaults[name] for name in free})
    quiet = replace(settings, progress=None, checkpoint=None)

    def objective(trial: optuna.Trial) -> float:
        drawn = {name: _drawn(trial, name, where) for name, where in free.items()}
        return rsum_of(method(encoders, **{**options, **drawn}), pairs, val, quiet)

    for _ in range(trials - len([t for t in study.trials if t.state.is_finished()])):
        study.optimize(objective, n_trials=1)
        tell(len(study.trials), float(study.trials[-1].value or 0), float(study.best_value))
    return {**options, **study.best_params}


def rsum_of(aligner: FittedAligner, pairs: PairSet, val: PairSet, settings: FitSettings) -> float:
    """Fit an aligner and return its rsum on validation pairs."""
    aligner.fit(pairs, None, settings)
    return aligner.evaluate(val).rsum


def _drawn(trial: Any, name: str, where: Range) -> Any:
    if where.choices:
        return trial.suggest_categorical(name, list(where.choices))
    return trial.suggest_float(name, where.low, where.high, log=where.log)
