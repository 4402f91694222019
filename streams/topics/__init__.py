"""The topics: what they are, what a cluster lacks, mending that, and refusing to work with wrong ones."""

from streams.topics.admin import TopicAdmin, UnreachableError, topic_admin
from streams.topics.planning import Plan, Topic, WrongConfig, WrongCount, plan
from streams.topics.specs import CONTRACT_TOPICS, TopicSpec, changelog, contract_topics, wanted_topics
from streams.topics.starting import check, cluster_id

__all__ = [
    "CONTRACT_TOPICS",
    "Plan",
    "Topic",
    "TopicAdmin",
    "TopicSpec",
    "UnreachableError",
    "WrongConfig",
    "WrongCount",
    "changelog",
    "check",
    "cluster_id",
    "contract_topics",
    "plan",
    "topic_admin",
    "wanted_topics",
]
