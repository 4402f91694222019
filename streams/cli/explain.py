"""`staffetta explain`: who got a callback, and why; how a notification reached somebody, or why not."""

from typing import TYPE_CHECKING, Annotated

import typer

from streams.errors import UserError
from streams.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection


def explain(
    id: Annotated[
        str, typer.Argument(metavar="CALLBACK_ID|DECISION_ID|NOTIFICATION_ID", help="What is to be explained.")
    ],
    company: Annotated[
        str | None, typer.Option(metavar="ID", help="The company, where several have something of that id.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for programs.")] = False,
) -> None:
    """Show who got a callback and why, or how a notification reached somebody, or why it did not.

    A callback's id explains the latest decision about it, a decision's id that decision: every candidate, what it
    rested on, all that happened since, and the ids of the notifications that came of it.

    A notification's id tells its story: what caused it, the configuration, the chain of channels, then channel by
    channel every attempt with its reason and the next one, receipts, redrives; and first, in a sentence, how it
    stands. No address and no text is shown.

    It is read from the database, which the role `record` fills. An id is looked for as a decision's, then as a
    callback's, then as a notification's.

    \b
      staffetta explain cb-17
      staffetta explain cb-17 --company co-7
      staffetta explain 5f0c6f1e-0c1b-5d3c-9a53-0d7f0a4f7b11 --json
    """
    from streams.cli.record import reading

    if not id.strip():
        raise UserError("say which: the id of a callback, a decision or a notification", 2)
    with reading(load_settings()) as connection:
        _explain(connection, id, company, as_json)


def _explain(connection: "Connection", id: str, company: str | None, as_json: bool) -> None:
    from sinks.database import questions, stories
    from streams.cli import explanation, story
    from streams.cli.record import the_only

    subjects = {subject.company_id: subject for subject in questions.subjects(connection, id, company)}
    told = {} if subjects else {each["company_id"]: each for each in stories.found(connection, id, company)}
    what = "decision, callback or notification"
    if told:
        whole = stories.story(connection, the_only(told, what, id, company))
        typer.echo(story.to_json(whole)) if as_json else story.show(whole)
        return
    explained = explanation.gather(connection, the_only(subjects, what, id, company))
    typer.echo(explanation.to_json(explained)) if as_json else explanation.show(explained)
