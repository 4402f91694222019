"""Faust's assignor, refusing to decide on metadata that lacks our topics.

It runs in the group's leader. Right after a broker restart the leader's metadata may lack topics; Faust then
logs "Ignoring missing topic", assigns nothing to anybody, and the group stays so for minutes. The restart of the
process joins with fresh metadata instead.
"""

from typing import Any

from faust.assignor.partition_assignor import PartitionAssignor

from streams.lane.crash import end_process
from streams.lane.lane import Lane


class LaneAssignor(PartitionAssignor):
    lane: Lane

    def assign(self, cluster: Any, *args: Any, **kwargs: Any) -> Any:
        changelogs = [table.changelog_topic.get_topic_name() for table in self.app.tables.values()]
        missing = [topic for topic in (*self.lane.topics, *changelogs) if not cluster.partitions_for_topic(topic)]
        if missing:
            end_process(f"the group leader's metadata lacks {missing}")
        return super().assign(cluster, *args, **kwargs)
