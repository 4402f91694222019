"""The lane rests on names that Faust and aiokafka keep to themselves. Check them before anything runs."""

import importlib.metadata

from aiokafka.consumer.fetcher import Fetcher, PartitionRecords
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver

VERSIONS = {"faust-streaming": "0.15.3", "mode-streaming": "0.7.1", "aiokafka": "0.14.0"}

NAMES: tuple[tuple[type, str], ...] = (
    (
        driver.Consumer,
        "_drain_messages _new_consumer_thread _thread perform_seek commit on_partitions_revoked "
        "_get_active_partitions on_task_error flow_active can_resume_flow",
    ),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer _ensure_consumer call_thread"),
    (
        Recovery,
        "_build_offsets _wait active_highwaters on_recovery_completed signal_recovery_start _generation_id",
    ),
    (TableManager, "recovery _recovery _update_channels"),
    (Fetcher, "fetched_records"),
    (PartitionRecords, "_unpack_records _consumer_record"),
    (_MemoryRecordsPy, "_cache_next has_next"),
    (_DefaultRecordBatchPy, "_maybe_uncompress next_offset"),
    (GroupCoordinator, "check_errors fetch_committed_offsets"),
    (SubscriptionState, "fetch_context"),
)


def check() -> None:
    """Raise ImportError when a version or a name is not what the lane was proved with."""
    for distribution, version in VERSIONS.items():
        found = importlib.metadata.version(distribution)
        if found != version:
            raise ImportError(f"the lane needs {distribution}=={version}, found {found}: run `uv sync`")
    for owner, names in NAMES:
        for name in names.split():
            if not hasattr(owner, name) and not any(
                name in vars(base).get("__annotations__", {}) for base in owner.__mro__
            ):
                raise ImportError(f"the lane needs {owner.__module__}.{owner.__name__}.{name}, which is gone")
