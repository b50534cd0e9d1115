"""DBOS: durable steps on PostgreSQL. What each step came to is kept; one whose outcome is unknown is done again, and looks for its
document first."""

import os

import sandbox
from dbos import DBOS, DBOSConfig

AT_ONCE = 5
PER_REPORT = 100

config: DBOSConfig = {
    "name": "peer",
    "system_database_url": os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://"),
    "run_admin_server": False,
    "log_level": "WARNING",
}
DBOS(config=config)


@DBOS.step(retries_allowed=True, max_attempts=10, interval_seconds=0.1)
def records(prefix):
    return sandbox.records(prefix)


@DBOS.step(retries_allowed=True, max_attempts=10, interval_seconds=0.1)
def create(record):
    return sandbox.ensure(record)


@DBOS.step(retries_allowed=True, max_attempts=10, interval_seconds=0.1)
def report(results, key):
    sandbox.report(results, key)


def portions(all_of_them, size):
    return [all_of_them[at : at + size] for at in range(0, len(all_of_them), size)]


@DBOS.workflow()
def lane(share):
    """One document after another: as many lanes, as many calls at once."""
    for place, portion in enumerate(portions(share, PER_REPORT)):
        results = [sandbox.result(record["id"], create(record)) for record in portion]
        report(results, f"{DBOS.workflow_id}-{place}")
    return len(share)


@DBOS.workflow()
def job(prefix):
    found = records(prefix)
    shares = portions(found, max(1, -(-len(found) // AT_ONCE)))
    handles = [DBOS.start_workflow(lane, share) for share in shares]
    return sum(handle.get_result() for handle in handles)


DBOS.launch()
job(os.environ["BENCH_PREFIX"])
DBOS.destroy()
