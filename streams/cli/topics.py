"""`staffetta topics`: what is to be done to a cluster's topics, and doing it."""

from collections.abc import Iterator

import typer

from streams.settings import Settings, load_settings
from streams.topics import Plan, TopicSpec, topic_admin, wanted_topics

app = typer.Typer(name="topics", no_args_is_help=True, help="Create the topics, or see what would be changed.")


@app.command("plan")
def show_plan() -> None:
    """Print what `topics apply` would do, and change nothing."""
    settings = load_settings()
    found = topic_admin(settings).plan(_wanted(settings))
    for line in _lines(found, settings):
        typer.echo(line)
    typer.echo("Nothing was changed." if found else "The topics are as they should be.")


@app.command("apply")
def apply() -> None:
    """Create missing topics and correct their configuration.

    The number of partitions of a topic that exists is never changed: keys would move to other partitions, away
    from their state and their order. If one differs, nothing is changed at all.
    """
    settings = load_settings()
    done = topic_admin(settings).apply(_wanted(settings))
    for line in _lines(done, settings):
        typer.echo(line)
    typer.echo("Done." if done else "The topics are as they should be.")


def _wanted(settings: Settings) -> tuple[TopicSpec, ...]:
    from streams.app import ROLES  # Faust and all roles: not for every `staffetta --help`

    return wanted_topics(ROLES, settings.delay_ladder_seconds)


def _lines(found: Plan, settings: Settings) -> Iterator[str]:
    prefix = settings.topic_prefix
    for wrong in found.wrong_count:
        yield f"! {prefix}{wrong.name}: has {wrong.has} partitions, not {settings.partitions}; cannot be changed"
    for spec in found.missing:
        yield f"+ {prefix}{spec.name}: {settings.partitions} partitions, {_kept(spec)}"
    for name, key, has, wanted in found.wrong_config:
        yield f"~ {prefix}{name}: {key} {has} -> {wanted}"


def _kept(spec: TopicSpec) -> str:
    retention = spec.config.get("retention.ms")
    return f"kept {int(retention) // 86_400_000} days" if retention else "compacted"
