"""The frame of the command line: listing, errors, exit codes, completion."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from tests.command_line import TIEPOINT, tiepoint
from tests.distributions import install
from tiepoint import __version__, registry
from tiepoint.cli.errors import report
from tiepoint.cli.group import ComponentGroup
from tiepoint.index.ownership import StoreLock

COMMANDS = """
import os, sys, time
import click
from tiepoint.errors import StoreError

@click.command()
def lost():
    raise StoreError("the store\\nis gone", where="data", hint="Find it.")

@click.command()
def crash():
    raise ZeroDivisionError("by nought")

@click.command()
def full():
    raise OSError(28, "No space left on device", "data/rows")

@click.command()
def sleep():
    click.echo("asleep")
    sys.stdout.flush()
    time.sleep(60)

@click.command()
def flood():
    for number in range(100_000):
        click.echo(number)
"""


@pytest.fixture
def path(tmp_path):
    """A folder for `PYTHONPATH` with a distribution whose commands fail in their own ways."""
    names = ("lost", "crash", "full", "sleep", "flood")
    install(
        tmp_path,
        "odd-commands",
        {registry.COMMANDS: {name: f"odd_commands:{name}" for name in names}},
        {"odd_commands": COMMANDS},
        summary="Commands that fail",
    )
    return tmp_path


@pytest.fixture
def broken(tmp_path):
    """A folder for `PYTHONPATH` with a command that cannot be imported."""
    entries = {registry.COMMANDS: {"broken": "no_such_module:command"}}
    install(tmp_path, "broken-command", entries, {}, summary="It is broken")
    return tmp_path


def test_help_lists_every_command_with_what_it_does():
    done = tiepoint("--help")
    assert done.returncode == 0
    assert not done.stderr
    for name in registry.names(registry.COMMANDS):
        assert f"\n  {name}" in done.stdout
    assert "config      Check a deployment file, or print its schema" in done.stdout


def test_help_imports_no_heavy_package():
    code = (
        "import sys; from tiepoint.cli.main import main; main(['--help'])\n"
        "heavy = {'numpy', 'torch', 'transformers', 'pydantic', 'yaml', 'PIL', 'pymilvus'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_version_is_that_of_the_distribution():
    assert tiepoint("--version").stdout == f"tiepoint, version {__version__}\n"


def test_a_foreign_command_is_listed_from_its_metadata(broken):
    done = tiepoint("--help", PYTHONPATH=broken)
    assert done.returncode == 0
    assert "broken      It is broken (broken-command)" in done.stdout


def test_a_broken_command_says_what_to_do_when_it_is_called(broken):
    done = tiepoint("broken", PYTHONPATH=broken)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "command 'broken' of broken-command 1.0 cannot be imported" in done.stderr


def test_a_plugin_that_its_command_cannot_import_is_named_in_one_line(tmp_path):
    command = (
        "import click\n\n@click.command()\ndef late():\n    from late_plugin import LatePlugin\n"
    )
    install(
        tmp_path,
        "late-plugin",
        {
            registry.COMMANDS: {"late": "late_command:late"},
            registry.PLUGINS: {"late": "late_plugin:LatePlugin"},
        },
        {"late_command": command, "late_plugin": "raise RuntimeError('no licence')\n"},
    )
    done = tiepoint("late", PYTHONPATH=tmp_path)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "plugin 'late' of late-plugin 1.0 cannot be imported from late_plugin" in line
    assert "(RuntimeError: no licence)" in line


def test_of_two_commands_of_one_name_ours_runs_and_a_warning_names_the_other(tmp_path):
    install(tmp_path, "other", {registry.COMMANDS: {"config": "other_cli:config"}}, {})
    done = tiepoint("config", "schema", PYTHONPATH=tmp_path)
    assert json.loads(done.stdout)["title"] == "tiepoint deployment"
    assert done.stderr.count("command 'config' of other 1.0 is hidden by that of tiepoint") == 1


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        ("lost", 1, "tiepoint: data: the store is gone. Find it.\n"),
        (
            "crash",
            1,
            "tiepoint: unexpected ZeroDivisionError: by nought."
            " For the traceback: tiepoint --debug ...\n",
        ),
        (
            "full",
            1,
            "tiepoint: data/rows: the disk is full. Free some space and run the command again.\n",
        ),
    ],
)
def test_every_error_is_one_line_on_stderr(path, command, code, line):
    done = tiepoint(command, PYTHONPATH=path)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", line)


def test_debug_shows_the_traceback_before_the_line(path):
    done = tiepoint("--debug", "crash", PYTHONPATH=path)
    assert done.stderr.startswith("Traceback")
    assert done.stderr.splitlines()[-1].startswith("tiepoint: unexpected ZeroDivisionError")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["serch"], "there is no command 'serch'. Did you mean 'search'?"),
        (["--nonsense"], "No such option '--nonsense'. See: tiepoint --help"),
        (["config", "check"], "Missing argument 'FILE'. See: tiepoint config check --help"),
        (["bench", "nonsense"], "there is no benchmark 'nonsense'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(words, part):
    done = tiepoint(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert part in done.stderr


@pytest.mark.parametrize(
    ("number", "ended"),
    [
        (signal.SIGINT, (130, "tiepoint: interrupted\n")),
        (signal.SIGTERM, (143, "tiepoint: terminated\n")),
    ],
)
def test_a_signal_is_one_line_and_its_exit_code(path, number, ended):
    variables = {**os.environ, "PYTHONPATH": str(path)}
    with subprocess.Popen(
        [TIEPOINT, "sleep"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=variables,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        _, message = process.communicate(timeout=30)
    assert (process.returncode, message) == ended


def test_a_reader_that_stops_early_is_no_error_message(path):
    variables = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        ["bash", "-c", f"{TIEPOINT} flood | head -1"],
        capture_output=True,
        text=True,
        env=variables,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_an_os_error_other_than_a_full_disk_is_not_taken_for_one(capsys):
    assert report(OSError(errno.ENOENT, "gone", "x"), debug=False) == 1
    assert "unexpected FileNotFoundError" in capsys.readouterr().err


def test_a_place_that_refuses_access_is_named(capsys):
    for number in (errno.EACCES, errno.EPERM, errno.EROFS):
        assert report(OSError(number, "Refused", "a/b"), debug=False) == 1
        line = "tiepoint: a/b: Refused. Give this user access, or name another path.\n"
        assert capsys.readouterr().err == line


def test_reload_without_a_process_says_how_to_start_one(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(
        "version: 1\nstore: {uri: ./data}\n"
        "collections: {items: {fields: {look: {dimensions: 2}}}}\n"
    )
    done = tiepoint("reload", file)
    assert done.returncode == 1
    assert f"no process holds the store. Start one: tiepoint serve {file}" in done.stderr


def test_listed_plugins_carry_their_distribution_and_what_they_are():
    listed = json.loads(tiepoint("plugins", "--json").stdout)["components"]
    by_name = {row["name"]: row for row in listed}
    assert by_name["security"]["distribution"] == "tiepoint-security"
    assert by_name["security"]["status"] == "ok"
    assert "surveillance" in by_name["security"]["about"]


def test_a_broken_plugin_is_a_warning_and_fails_only_the_check(tmp_path):
    entries = {registry.PLUGINS: {"bad": "no_such_module:Bad"}}
    install(tmp_path, "bad-plugin", entries, {})
    listed = tiepoint("plugins", PYTHONPATH=tmp_path)
    assert listed.returncode == 0
    assert "warning: broken: plugin 'bad' of bad-plugin 1.0 cannot be imported" in listed.stderr
    assert "security" in listed.stdout
    assert tiepoint("plugins", "--check", PYTHONPATH=tmp_path).returncode == 2


def test_config_check_lists_all_errors_one_a_line(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text("version: 1\nencoders: {a: {type: nosuch}, b: {type: nosuch}}\n")
    done = tiepoint("config", "check", file)
    assert done.returncode == 2
    assert "deploy.yaml:1: the key 'collections' is missing" in done.stderr
    file.write_text(file.read_text() + "collections: {c: {fields: {t: {words: true}}}}\n")
    done = tiepoint("config", "check", file)
    assert len(done.stderr.splitlines()) == 2
    data = json.loads(tiepoint("config", "check", file, "--json").stdout)
    assert data["ok"] is False
    assert [error["where"].split(":")[-1] for error in data["errors"]] == [
        "2 (encoders.a.type)",
        "2 (encoders.b.type)",
    ]


def test_config_check_puts_the_parts_together(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(
        "version: 1\ncollections: {c: {fields: {t: {words: true}}}}\n"
        'fusion: {weights: {"nope->x": 1}}\n'
    )
    done = tiepoint("config", "check", file)
    assert done.returncode == 2
    assert f"{file} (fusion.weights): there is no route 'nope->x'" in done.stderr
    assert "The routes are words->t." in done.stderr


def test_a_closed_output_is_no_error_message():
    for closed in (">&-", ">&- 2>&-"):
        done = subprocess.run(
            ["bash", "-c", f"{TIEPOINT} config schema {closed}"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_doctor_finds_the_embedded_default_fit_to_run(tmp_path):
    done = tiepoint("doctor", "--json", TIEPOINT_CACHE=tmp_path)
    data = json.loads(done.stdout)
    assert (done.returncode, data["ok"]) == (0, True)
    findings = {(f["subject"], f["name"]): f for f in data["findings"]}
    assert "verified" in findings["weights", "efficientnet-lite0"]["value"]
    assert findings["packages", "av (extra audio)"]["state"] in ("ok", "note")
    assert findings["runtime", "chosen"]["state"] == "ok"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "there is no such file"),
        ("version: [1", "deploy.yaml:1"),
        ("version: 1\nstore: {uri: x}\n", "deploy.yaml:1: the key 'collections' is missing"),
    ],
)
def test_doctor_says_what_is_wrong_with_a_deployment(tmp_path, content, told):
    file = tmp_path / "deploy.yaml"
    if content is not None:
        file.write_text(content)
    done = tiepoint("doctor", file, "--json", TIEPOINT_CACHE=tmp_path / "cache")
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert told in line
    report = json.loads(done.stdout)
    failed = [f for f in report["findings"] if f["state"] == "failed"]
    assert not report["ok"]
    assert {f["subject"] for f in failed} == {"deployment"}


def test_doctor_names_a_mistake_once(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text("version: 1\nstore: {uri: x}\n")
    done = tiepoint("doctor", file, TIEPOINT_CACHE=tmp_path / "cache")
    assert done.returncode == 2
    assert (done.stdout + done.stderr).count("the key 'collections' is missing") == 1


def test_doctor_says_who_holds_the_store(tmp_path):
    file = tmp_path / "deploy.yaml"
    file.write_text(
        "version: 1\nencoders: {words: {type: use}}\nstore: {uri: data}\n"
        "collections: {notes: {fields: {text: {encoder: words}}}}\n"
    )
    missing = tiepoint("doctor", file, TIEPOINT_CACHE=tmp_path / "cache")
    assert missing.returncode == 0
    assert f"{tmp_path / 'data'} is not there yet" in missing.stdout
    (tmp_path / "data").mkdir()
    lock = StoreLock(tmp_path / "data")
    lock.acquire()
    held = tiepoint("doctor", file, TIEPOINT_CACHE=tmp_path / "cache").stdout
    lock.release()
    free = tiepoint("doctor", file, TIEPOINT_CACHE=tmp_path / "cache").stdout
    assert f"process {os.getpid()} (" in held
    assert "nobody" in free


def test_doctor_says_when_the_cache_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    done = tiepoint("doctor", "--json", TIEPOINT_CACHE=tmp_path / "file")
    assert done.returncode == 0, done.stdout
    findings = json.loads(done.stdout)["findings"]
    told = [f for f in findings if "every process starts slowly" in f["value"]]
    assert [(f["subject"], f["state"]) for f in told] == [("caches", "note")]


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [(["tiepoint", "comp"], ["completion"]), (["tiepoint", "config", ""], ["check", "schema"])],
)
def test_bash_completes_commands(typed, expected, broken):
    script = tiepoint("completion", "bash").stdout
    words = " ".join(f"'{word}'" for word in typed)
    ask = (
        f"{script}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _tiepoint_completion"
        " tiepoint\nprintf '%s\\n' \"${COMPREPLY[@]}\""
    )
    variables = {
        **os.environ,
        "PATH": f"{os.path.dirname(TIEPOINT)}:{os.environ['PATH']}",  # noqa: PTH120
        "PYTHONPATH": str(broken),
    }
    done = subprocess.run(
        ["bash", "-c", ask], capture_output=True, text=True, env=variables, check=True
    )
    assert done.stdout.split() == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_get_their_script(shell):
    assert "_TIEPOINT_COMPLETE" in tiepoint("completion", shell).stdout


def test_every_command_of_ours_has_help_that_its_listing_shows():
    group = ComponentGroup("all", components=registry.COMMANDS)
    for component in registry.components(registry.COMMANDS):
        command = registry.load(registry.COMMANDS, component.name)
        if component.distribution == "tiepoint":
            listed = group.summary_of(component.name)
            assert listed, component.name
            assert (command.help or "").replace("\n", " ").startswith(listed), component.name
