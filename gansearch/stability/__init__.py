"""What D's scores mean: the monitor, the measures, the verdicts, the referee. Usable in anybody's training loop."""

from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.report import StabilityReport
from gansearch.stability.verdict import ADVICE, VERDICTS

__all__ = ["ADVICE", "VERDICTS", "StabilityMonitor", "StabilityReport"]
