"""The checks of an iManage server: what works, what fails and why, and who needs to act."""

from services.diagnostics.report import Report as Report
from services.diagnostics.report import Result as Result
from services.diagnostics.runner import check as check
from services.diagnostics.runner import plan as plan
