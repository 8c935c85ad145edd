"""Where commands find the alerts of a deployment, and who asks."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tiepoint.errors import ConfigError, InputError

if TYPE_CHECKING:
    from tiepoint.config.models import Deployment
    from tiepoint_security.alarm import Records
    from tiepoint_security.plugin import SecurityConfig

Command = TypeVar("Command", bound=Callable[..., Any])


def user_option(command: Command) -> Command:
    """Add `--user`: who asks, as the audit log has it."""
    option = click.option(
        "--user",
        envvar="TIEPOINT_USER",
        default=_login,
        metavar="NAME",
        help="Who you are, for the audit log; your login name if not given.",
    )
    return option(command)


def security_of(deployment: Deployment, config: Path) -> SecurityConfig:
    """Return the plugin's options in a deployment.

    Raises:
        ConfigError: It does not name this plugin.
    """
    from tiepoint_security.plugin import SecurityConfig

    if "security" not in deployment.plugins:
        raise ConfigError(
            "the deployment does not name the plugin",
            where=f"{config} (plugins)",
            hint="Add `security: {}` under `plugins`.",
        )
    return SecurityConfig.model_validate(deployment.plugins["security"])


@contextmanager
def opened_records(config: Path) -> Iterator[Records]:
    """Open the records of a deployment; a process that runs it may have them open, too.

    Raises:
        ConfigError: The file is wrong or does not name this plugin.
        InputError: Nothing was recorded yet.
    """
    from tiepoint.config.loader import load
    from tiepoint_security.alarm import Records

    deployment = load(config)
    settings = security_of(deployment, config)
    records = Records(settings.records, deployment.store.uri)
    if not records.database.exists:
        raise InputError(
            "there are no alerts yet",
            where=str(records.folder),
            hint=f"Run the deployment first: tiepoint run {config}",
        )
    try:
        yield records
    finally:
        records.close()


def _login() -> str:
    try:
        return getpass.getuser()
    except OSError:  # a container whose user has no name
        return "unknown"
