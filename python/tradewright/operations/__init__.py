"""Running a venue: how an operator on this machine talks to a node."""

from tradewright.operations.control import (
    NodeControl,
    NodeStatus,
    Promotion,
    ReplicaControl,
    ReplicaStatus,
    Sent,
    SessionStatus,
    StageStatus,
    TransfersUnderWay,
    VenueStatus,
)

__all__ = [
    "NodeControl",
    "NodeStatus",
    "Promotion",
    "ReplicaControl",
    "ReplicaStatus",
    "Sent",
    "SessionStatus",
    "StageStatus",
    "TransfersUnderWay",
    "VenueStatus",
]
