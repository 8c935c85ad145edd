"""The one tree of errors: what was wrong, where, and what to do about it.

Every error that a user can meet is a `TiepointError`. Its text is one line, and its class
says who has to act: `InputError` (exit code 2) is mended by changing the input or the
configuration, everything else (exit code 1) is work that failed.
"""

from __future__ import annotations


class TiepointError(Exception):
    """Base of all errors raised on purpose by tiepoint.

    Args:
        what: What was wrong, as a clause without a full stop.
        where: The file, YAML path, item id or DICOM tag it was found at.
        hint: What to do, as an imperative sentence.

    >>> str(InputError("the file is empty", where="a.jpg", hint="Replace it."))
    'a.jpg: the file is empty. Replace it.'
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = " ".join(what.split())
        self.where = where
        self.hint = hint
        super().__init__(self.what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"


class InputError(TiepointError):
    """The input or the configuration is wrong; nothing was changed."""

    exit_code = 2


class ConfigError(InputError):
    """A deployment file, or an option, that cannot be used."""


class DecodeError(InputError):
    """A part that is not what it claims to be: broken, empty, too large, or of another type."""


class SchemaError(InputError):
    """An item, vector or metadata value that does not fit its collection."""


class FilterError(InputError):
    """A `where` expression that cannot be parsed, or that names an unknown field."""


class QueryError(InputError):
    """A search that cannot be answered: no part, no route, or a bad `k`."""


class UnknownCollectionError(QueryError):
    """The deployment has no collection of this name."""


class FingerprintError(InputError):
    """Stored vectors, or weights, that come from something else than what is configured."""


class MissingDependencyError(InputError):
    """An optional package that is needed and absent; the hint is the install command."""


class PluginError(InputError):
    """A component that was asked for by name and cannot be used."""


class StoreError(TiepointError):
    """The store could not do its work (disk full, connection lost, damaged data)."""


class StoreOwnedError(InputError):
    """Another process holds the embedded store."""


class AnswerError(TiepointError):
    """A language model that cannot be asked, or did not answer."""
