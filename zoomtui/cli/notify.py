"""`notify`, and the options by which verbs that render say who is told what happens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from renderer.errors import SettingsError
from renderer.formatting import path_text
from renderer.project import recipients as kept
from renderer.project.recipients import Recipients
from renderer.project.records import read_settings
from renderer.service.deliveries import LIMIT, check, deliver
from zoomtui.cli.options import F, stacked
from zoomtui.cli.verb import FOLDER, verb
from zoomtui.stdio import write_line

metrics_option = click.option(
    "--metrics",
    metavar="FILE",
    help="Write figures of the render there every few seconds, for the textfile collector of "
    "Prometheus' node_exporter: a name of its own that ends in .prom.",
)


_OPTIONS = (
    click.option(
        "--on-event",
        metavar="COMMAND",
        help="Run when the render finishes, fails, stalls, is restarted, waits for review or fills "
        "the disk: no shell, the event as JSON on standard input and in ZOOMTUI_… variables, "
        f"{LIMIT:.0f} s at most. Kept for the project; none: no more. "
        f"Default: {kept.ON_EVENT}.",
    ),
    click.option(
        "--notify",
        metavar="URL",
        multiple=True,
        help="Send it there as well: an address of Apprise (pip install 'zoomtui[notify]'), such "
        f"as ntfy://topic; repeatable. Default: {kept.NOTIFY}, which no list of processes "
        "and no shell's history shows.",
    ),
)


def recipient_options(command: F) -> F:
    """What ``recipients`` takes, but for the file of metrics."""
    return stacked(command, *_OPTIONS)


def recipients(
    on_event: str | None, notify: Sequence[str], metrics: str | None = None
) -> Recipients:
    """What was said of them. Raises SettingsError for what can't be used, defaults included."""
    said = Recipients(
        command=None if on_event is None else kept.command_of(on_event),
        urls=kept.urls_of(notify) if notify else None,
        metrics=None if metrics is None else kept.metrics_of(metrics),
    )
    check(said.over(kept.defaults()), kept.NOTIFY if said.urls is None else "--notify")
    return said


def change_recipients(folder: Path, said: Recipients) -> None:
    """What was not said stays as it is, or is from now on as the environment has it.

    Raises StorageError, SettingsError.
    """
    wanted = said.over(kept.recipients_of(folder)).over(kept.defaults())
    if said != Recipients() or wanted != Recipients((), ()):
        kept.keep(folder, wanted)


@verb(
    "Send a test message about a render.",
    "notify coral.zoom",
    "notify coral.zoom --on-event 'notify-send zoomtui'",
    "notify coral.zoom --notify none",
    notes="With options, these recipients are kept for PROJECT, also while it is rendered; `none` "
    "removes them. Exit code 2 if the message does not reach all of them.",
)
@click.argument("project", type=FOLDER)
@recipient_options
def notify(project: Path, on_event: str | None, notify: tuple[str, ...]) -> None:
    """Send a test message to all that are told what happens to PROJECT."""
    from renderer.engine.facts import facts_of_project
    from renderer.engine.occasions import Kind, Occasion
    from renderer.project.status import read_status

    read_settings(project)
    change_recipients(project, recipients(on_event, notify))
    to = kept.recipients_of(project).over(kept.defaults())
    occasion = Occasion(Kind.TEST, "this is a test", facts_of_project(read_status(project)))
    deliveries = deliver(occasion, to, loud=True)
    if not deliveries:
        write_line(
            f"nothing is sent for {path_text(project)}: name recipients with --on-event or --notify"
        )
    for each in deliveries:
        each.wait(LIMIT)
        write_line(f"{each.to}: {f'not delivered, {each.why}' if each.why else 'delivered'}")
    if any(each.why for each in deliveries):
        raise SettingsError("not all of it was delivered")
