"""Customers who are made where they are first needed: by an attach, a check or a track that says who it is.

Not a use case, but what such a use case does between reading and committing: it reads a CustomerContext
together with whatever else it decides on, has the customer recorded here on its own unit of work, and commits
once. Racing with others that make the same customer it loses by a Conflict, reads again, and finds them: so
it must be retried (`retry_on_stale`).
"""

from datetime import datetime

from msgspec.structs import asdict

from application.ports import CustomerContext
from application.unit_of_work import UnitOfWork
from domain import customer
from domain.auth import Authenticated
from domain.customer import CustomerData, CustomerRecord, NewCustomer
from domain.ids import Ids
from domain.text import OUR_PREFIXES


def known_or_made(
    named: str,
    data: CustomerData | None,
    context: CustomerContext,
    auth: Authenticated,
    work: UnitOfWork,
    ids: Ids,
    now: datetime,
) -> CustomerRecord:
    """The customer `named` by id or external id (see `text.named_customer`), as `context` knows them; else
    made of the `data` and recorded, with their default subscriptions. Who is known stays as they are.

    `context.terms` are needed only where there is `data` and no such customer. Raises NotFound
    `customer_not_found` where nobody says who it is, or an id of ours names nobody; and what
    `customer.create` raises.
    """
    if data is not None:
        customer.check_organization(data, auth)
    if context.existing is not None:
        return context.existing
    if data is None or named.startswith(OUR_PREFIXES):
        raise customer.nobody()
    creation, record = customer.create(
        NewCustomer(external_id=named, **asdict(data)), auth, context.terms, ids, now
    )
    work.record(creation)
    return record
