"""The machine notices what is taken from the database; at length it is `python -m tests.machine.sabotage`."""

import pytest

from tests.databases import DatabaseServer
from tests.machine.excuses import EXCUSES
from tests.machine.sabotage import everything, tried


@pytest.mark.parametrize("name", ["payments_one_per_intent", "event payment.succeeded"])
def test_the_machine_notices_a_dropped_unique_index_and_a_lost_event(
    database_server: DatabaseServer, name: str
) -> None:
    [sabotage] = [each for each in everything(database_server) if each.name == name]
    assert tried(database_server, sabotage, random_seed=1).noticed


def test_excuses_are_made_for_nothing_that_is_not_there(database_server: DatabaseServer) -> None:
    excused = {each.name for each in everything(database_server) if each.excuse}
    assert excused >= EXCUSES.keys()
