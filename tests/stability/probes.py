"""Reports on one probe."""

from gansearch.stability import StabilityMonitor, StabilityReport


def report_on(real, fake, output="logit", ruling=None) -> StabilityReport:
    """The report on one probe with these scores, (N,) and (M,)."""
    monitor = StabilityMonitor(output)
    monitor.update(real, fake)
    return monitor.report(ruling=ruling)
