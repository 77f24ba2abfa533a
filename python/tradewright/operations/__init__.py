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
    Sent,
    SessionsStatus,
    SessionStatus,
    StageStatus,
    TransfersUnderWay,
    VenueStatus,
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
    "Sent",
    "SessionStatus",
    "SessionsStatus",
    "StageStatus",
    "TransfersUnderWay",
    "VenueStatus",
]
