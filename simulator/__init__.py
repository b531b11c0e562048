"""A simulator of iManage Work with its own HTTP server: the practice server for tests, demo and training.

with Simulator() as sim:
    sim.faults.add(Fault("status", status=503, path="/download$"))
    requests.get(sim.url + "/api")
"""

from simulator.contents import Content, Generated, Inline, Sample, large_pdf
from simulator.faults import Fault
from simulator.seed import practice_app, practice_password, practice_world
from simulator.server import Simulator
from simulator.settings import Settings
from simulator.state import Request
from simulator.values import (
    App,
    Category,
    Container,
    Document,
    Email,
    Library,
    Lock,
    Security,
    Template,
    User,
    Version,
)
from simulator.world import World
from simulator.world_file import WorldError
from simulator.worlds import load_world

__all__ = [
    "App",
    "Category",
    "Container",
    "Content",
    "Document",
    "Email",
    "Fault",
    "Generated",
    "Inline",
    "Library",
    "Lock",
    "Request",
    "Sample",
    "Security",
    "Settings",
    "Simulator",
    "Template",
    "User",
    "Version",
    "World",
    "WorldError",
    "large_pdf",
    "load_world",
    "practice_app",
    "practice_password",
    "practice_world",
]
