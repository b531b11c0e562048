"""Checking a server: what stands between this installation and an iManage server, by name, and whose step it is."""

from services.diagnostics.report import Report as Report
from services.diagnostics.report import Result as Result
from services.diagnostics.runner import check as check
from services.diagnostics.runner import plan as plan
