"""All pages of the portal."""

from litestar import Router

from entrypoints.http.portal import actions, door
from entrypoints.http.portal.portal import portal_trouble

portal_pages = Router(
    "/",
    route_handlers=[
        door.enter,
        door.ask_for_code,
        door.show_code,
        door.give_code,
        door.show_link,
        door.come_by_link,
        door.sign_out,
        door.sign_out_everywhere,
        actions.cancel,
        actions.resume,
        actions.choose_payment_method,
        actions.add_payment_method,
        actions.buy_again,
        actions.older,
    ],
    exception_handlers={Exception: portal_trouble},
    include_in_schema=False,  # for people, as they stand
)
