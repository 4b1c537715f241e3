"""A deploy target as a newcomer writes it: this file, and one line of the registry."""

from jupyter_graph.deployment.records import remember
from jupyter_graph.deployment.targets.deploy_target import DeployTarget, Status
from jupyter_graph.errors import DeployError


class TrialTarget(DeployTarget):
    """Keeps nothing but the record."""

    may_take_over = False
    writes_events = False
    reads_fields = frozenset(("env",))

    def option_problems(self, options):
        if options.workers > 1:
            yield "a trial has one worker"

    def check(self, job):
        """Every job can be done."""

    def start(self, job, bundle):
        record = self.new_record(job, bundle, place=bundle.folder.name)
        remember(record)
        return record, "tried"

    def address(self, record):
        raise DeployError(f"{record.name!r} is a trial")

    def status(self, record):
        return Status("tried", workers=1)
