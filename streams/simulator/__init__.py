"""The providers, simulated: one program that speaks their protocols, checks what it is sent as strictly as they
do, tells by signed receipts what became of it, and fails when and how it is told to.

Each protocol listens on a port of its own, and so does the API by which it is controlled. Nothing leaves the
machine, and nothing is kept.
"""

from streams.simulator.faults import At, Fault, Kind, Limit, Per, Receipt, Rule
from streams.simulator.server import Door, Simulator
from streams.simulator.world import Accepted, Call, Inbound, World

__all__ = [
    "Accepted",
    "At",
    "Call",
    "Door",
    "Fault",
    "Inbound",
    "Kind",
    "Limit",
    "Per",
    "Receipt",
    "Rule",
    "Simulator",
    "World",
]
