"""Running a venue: how an operator on this machine talks to a node."""

from tradewright.operations.control import (
    FeedStatus,
    NodeControl,
    NodeStatus,
    Promotion,
    ReaderStatus,
    ReplicaControl,
    ReplicaStatus,
    RingStatus,
    SessionsStatus,
    SessionStatus,
    StageStatus,
)

__all__ = [
    "FeedStatus",
    "NodeControl",
    "NodeStatus",
    "Promotion",
    "ReaderStatus",
    "ReplicaControl",
    "ReplicaStatus",
    "RingStatus",
    "SessionStatus",
    "SessionsStatus",
    "StageStatus",
]
