"""What went through the sandbox, held against Stripe's description.

seen: list[Exchange] = []
async with Sandbox(on_exchange=seen.append) as sandbox:
    ...
for exchange in seen:
    check_exchange(exchange)
"""

from adapters.sandbox import Exchange
from tests.stripe_contract.contract import ContractBroken, stripe_contract


def check_exchange(exchange: Exchange, *, accepted_only: bool = True) -> None:
    """Check the reply, and the request: by default only an accepted one, since tests also send rubbish.

    A gateway's tests want `accepted_only=False`: it should never send what Stripe does not describe.
    """
    contract = stripe_contract()
    if exchange.status == 404 and "Unrecognized request URL" in exchange.body["error"]["message"]:
        if not accepted_only:
            raise ContractBroken(f"the sandbox has no endpoint {exchange.method} {exchange.path}")
        return
    contract.check_response(exchange.method, exchange.path, exchange.status, exchange.body)
    if exchange.status == 200 or not accepted_only:
        contract.check_request(exchange.method, exchange.path, exchange.pairs)
