"""What D's scores mean: monitor, measures, verdicts, referee. Usable in any training loop."""

from gansearch.stability.monitor import StabilityMonitor
from gansearch.stability.report import StabilityReport
from gansearch.stability.verdict import ADVICE, VERDICTS

__all__ = ["ADVICE", "VERDICTS", "StabilityMonitor", "StabilityReport"]
