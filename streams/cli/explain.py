"""`staffetta explain`: who got a callback, and why."""

from typing import Annotated

import typer

from streams.errors import UserError
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
    from sinks.database.engine import create_engine
    from sinks.database.questions import subjects
    from sinks.database.schema import plainly, require_schema
    from streams.cli import explanation

    engine = create_engine(load_settings().database_url)
    require_schema(engine, wait=False)
    with plainly(engine), engine.connect() as connection:
        found = subjects(connection, id, company)
        if not found:
            where = f" in the company {company}" if company else ""
            raise UserError(f"no callback and no decision {id}{where} in the database")
        if len(found) > 1:
            names = ", ".join(subject.company_id for subject in found)
            raise UserError(f"{id} is known in the companies {names}: say which one with --company", 2)
        explained = explanation.gather(connection, found[0])
    typer.echo(explanation.to_json(explained)) if as_json else explanation.show(explained)
