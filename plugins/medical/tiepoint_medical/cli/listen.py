"""`tiepoint medical listen`: take objects and reports in from the network."""

from __future__ import annotations

import ssl
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import click

from tiepoint.cli.output import echo, print_json, say
from tiepoint.errors import ConfigError, InputError


@click.command(epilog="Example: tiepoint medical listen inbox --port 11112 --caller CT1")
@click.argument("inbox", type=click.Path(path_type=Path, file_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="For DICOM, such as 11112.")
@click.option("--ae-title", default="TIEPOINT", show_default=True, help="What callers call us.")
@click.option("--caller", multiple=True, metavar="AET", help="Who may call; anyone if not given.")
@click.option("--mllp-port", type=click.IntRange(0, 65535), help="For HL7 reports, such as 2575.")
@click.option("--watch", type=click.Path(path_type=Path), help="A folder that others write to.")
@click.option("--certificate", type=click.Path(path_type=Path), help="For DICOM over TLS (PEM).")
@click.option("--key", type=click.Path(path_type=Path), help="The certificate's key (PEM).")
@click.option("--callers-ca", type=click.Path(path_type=Path), help="Who signs callers (PEM).")
@click.option("--for", "seconds", type=float, help="End after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print what was taken as JSON at the end.")
def listen(
    inbox: Path,
    host: str,
    port: int | None,
    ae_title: str,
    caller: tuple[str, ...],
    mllp_port: int | None,
    watch: Path | None,
    certificate: Path | None,
    key: Path | None,
    callers_ca: Path | None,
    seconds: float | None,
    as_json: bool,
) -> None:
    """Take DICOM objects and HL7 reports into the folder INBOX until Ctrl-C.

    What is acknowledged is on the disk: it outlives a kill of this process. The folder holds
    patients' data as they came; it is made for this user only.

    With --json: {"objects", "refused", "reports", "inbox"}, where the first two and the third
    count what came by the network, and the last what the folder holds.
    """
    from tiepoint_adapters.dicom.network.hl7_reports import ReportListener
    from tiepoint_adapters.dicom.network.inbox import Inbox
    from tiepoint_adapters.dicom.network.listener import DicomListener
    from tiepoint_adapters.dicom.network.watching import WatchedFolder

    if port is None and mllp_port is None and watch is None:
        raise ConfigError("nothing to listen to", hint="Give --port, --mllp-port or --watch.")
    if host not in ("127.0.0.1", "::1", "localhost") and port is not None and not certificate:
        say("warning: DICOM is taken in over the net without encryption; give --certificate")
    kept = Inbox(inbox)
    reports = 0

    def count(_: Path) -> None:
        nonlocal reports
        reports += 1

    stopped = threading.Event()
    objects = refused = 0
    with ExitStack() as stack:
        node = None
        if port is not None:
            tls = _tls(certificate, key, callers_ca) if certificate else None
            node = stack.enter_context(
                DicomListener(kept, host, port, ae_title, callers=caller, tls=tls)
            )
            say(f"listening for DICOM as {ae_title} at {host}:{node.port}")
        if mllp_port is not None:
            mllp = stack.enter_context(ReportListener(kept, host, mllp_port, count))
            say(f"listening for HL7 at {host}:{mllp.port}")
        if watch is not None:
            folder = WatchedFolder(watch, kept)
            thread = threading.Thread(target=folder.run, args=(stopped,), daemon=True)
            thread.start()
            stack.callback(thread.join, 30)
            say(f"watching {watch}")
        stack.callback(stopped.set)
        try:
            _wait(seconds)
        except KeyboardInterrupt:
            say("stopping")
        if node is not None:
            objects, refused = node.received, node.refused
    held = len(kept)
    if as_json:
        print_json({"objects": objects, "refused": refused, "reports": reports, "inbox": held})
    else:
        echo(f"{objects} objects and {reports} reports taken in; {held} objects in {inbox}")


def _wait(seconds: float | None) -> None:
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        time.sleep(0.2)


def _tls(certificate: Path | None, key: Path | None, callers_ca: Path | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(str(certificate), str(key) if key else None)
        if callers_ca is not None:
            context.load_verify_locations(str(callers_ca))
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise InputError(
            "the certificate, its key or the callers' authority cannot be read",
            where=str(certificate),
        ) from error
    return context
