"""`staffetta explain`: who got a callback, and why."""

from typing import Annotated

import typer

from streams.settings import load_settings


def explain(
    id: Annotated[str, typer.Argument(metavar="CALLBACK_ID|DECISION_ID", help="What is to be explained.")],
    company: Annotated[
        str | None, typer.Option(metavar="ID", help="The company, where several have a callback of that id.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Show who got a callback and why: every candidate, what it rested on, and all that happened since.

    A callback's id explains the latest decision about it, a decision's id that decision. It is read from the
    database, which the role `record` fills.

    \b
      staffetta explain cb-17
      staffetta explain cb-17 --company co-7
      staffetta explain 5f0c6f1e-0c1b-5d3c-9a53-0d7f0a4f7b11 --json
    """
    from sinks.database.questions import subjects
    from streams.cli import explanation
    from streams.cli.record import reading, the_only

    with reading(load_settings()) as connection:
        found = {subject.company_id: subject for subject in subjects(connection, id, company)}
        explained = explanation.gather(connection, the_only(found, "callback and no decision", id, company))
    typer.echo(explanation.to_json(explained)) if as_json else explanation.show(explained)
