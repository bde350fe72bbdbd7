"""/v1/users"""

from typing import Annotated, TypeAlias

from litestar import Controller, HttpMethod, Response, get, patch, post, route
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct
from msgspec.structs import asdict

from application.account_views import UserView
from application.ports import UserFilter, UserRepository
from application.users.sign_up import SignUp
from application.users.update_user import UpdateUser
from application.views import view_of
from domain.ids import UserId
from domain.sign_up import NewUser
from domain.text import EMAIL, STRIPE_CUSTOMER, USER_REFERENCE
from domain.user import User, nobody
from domain.user_changes import UserChanges
from entrypoints.http.bodies import JsonBody
from entrypoints.http.idempotency import Once
from entrypoints.http.injected import Injected
from entrypoints.http.paging import PAGED, Limit, cursor_of, next_cursor
from entrypoints.http.refusals import KEYED, NAMED, WITH_BODY, WITH_ID, WRITING, Codes, refusals
from entrypoints.http.requests import Call

UserNamed: TypeAlias = Annotated[
    str, PathParameter(pattern=USER_REFERENCE, description="its id, `usr_…`, or its external id")
]
OfEmail: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        max_length=254,
        pattern=EMAIL,
        description="Only those with this e-mail, in any spelling: who has proven it, and who claims it.",
    ),
]
OfStripeCustomer: TypeAlias = Annotated[
    str | None, QueryParameter(pattern=STRIPE_CUSTOMER, description="Only who is this customer at Stripe.")
]
WithoutStripeCustomer: TypeAlias = Annotated[
    bool, QueryParameter(description="Only those whom Stripe does not know yet.")
]

_NOT_THERE: Codes = {404: ("user_not_found",)}
_TAKEN: Codes = {409: ("email_taken",), 422: ("invalid_external_id",)}


class UserReply(UserView, frozen=True, kw_only=True):
    """The account of a person."""

    @classmethod
    def of(cls, user: User) -> "UserReply":
        """The user, as they are published."""
        return cls(**asdict(view_of(user)))


class UserPage(Struct, frozen=True):
    """`next_cursor` is the `cursor` of the next page; null when this one was not full."""

    data: tuple[UserReply, ...]
    next_cursor: UserId | None


class UserController(Controller):
    """People's accounts, by our id or the application's."""

    path = "/users"
    tags = ("users",)

    @post(
        dto=JsonBody[NewUser],
        return_dto=None,
        operation_id="sign_up",
        summary="Sign a user up, or get the known one",
        response_description="The new user",
        responses={
            200: ResponseSpec(UserReply, generate_examples=False, description="The known user"),
            **refusals(KEYED, WITH_BODY, WRITING, NAMED, {403: ("organization_mismatch",)}, _TAKEN),
        },
    )
    async def create(
        self, request: Call, data: JSONBody[NewUser], sign_up: Injected[Once[SignUp]]
    ) -> Response[UserReply]:
        """201 with the new user; 200 with the one known by this external id, as they are, or by this e-mail,
        if they have proven it as much as `email_verified` says that this one has. Who has no external id yet
        gets the one that comes with their e-mail. Stripe gets to know a new user soon after: the reply never
        waits for it.
        """
        return await sign_up(
            request,
            lambda cause: sign_up.use_case(data, request.auth, cause),
            lambda signed_up: (201 if signed_up.created else 200, UserReply.of(signed_up.user)),
        )

    @get(
        operation_id="list_users",
        summary="Users, newest first",
        response_description="A page of users",
        responses=refusals(PAGED),
    )
    async def page(
        self,
        request: Call,
        users: Injected[UserRepository],
        limit: Limit = 50,
        cursor: Annotated[UserId | None, cursor_of(UserId)] = None,
        email: OfEmail = None,
        stripe_customer_id: OfStripeCustomer = None,
        without_stripe_customer: WithoutStripeCustomer = False,
    ) -> UserPage:
        """Those of the key's organization and mode."""
        wanted = UserFilter(email, stripe_customer_id, without_stripe_customer)
        found = await users.user_page(request.auth, wanted, limit, cursor)
        return UserPage(tuple(map(UserReply.of, found)), next_cursor(found, limit))

    @get(
        "/{reference:str}",
        operation_id="get_user",
        summary="A user, by id or external id",
        response_description="The user",
        responses=refusals(KEYED, WITH_ID, _NOT_THERE),
    )
    async def read(self, request: Call, reference: UserNamed, users: Injected[UserRepository]) -> UserReply:
        """As they are now."""
        found = await users.user(request.auth, reference)
        if found is None:
            raise nobody()
        return UserReply.of(found)

    @patch(
        "/{reference:str}",
        dto=JsonBody[UserChanges],
        return_dto=None,
        operation_id="update_user",
        summary="Change a user",
        response_description="The user as they are now",
        responses=refusals(
            KEYED, WITH_BODY, WITH_ID, _NOT_THERE, WRITING, {409: ("external_id_taken",)}, _TAKEN
        ),
    )
    async def update(
        self,
        request: Call,
        reference: UserNamed,
        data: JSONBody[UserChanges],
        update_user: Injected[UpdateUser],
    ) -> UserReply:
        """What is left out stays, and a name that is null is cleared. Another e-mail is not proven, unless
        `email_verified` says so. Stripe is told of another name or e-mail soon after."""
        return UserReply.of(await update_user(reference, data, request.auth, request.cause))

    @route(http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False, sync_to_thread=False)
    def allowed(self) -> Response[None]:
        """Litestar's own answer to OPTIONS knows only one of the handlers of an address. It takes handlers by
        their names, and this one only if it comes before the others."""
        return Response(None, headers={"Allow": "GET, POST, OPTIONS"})

    @route(
        "/{reference:str}",
        http_method=HttpMethod.OPTIONS,
        status_code=204,
        include_in_schema=False,
        sync_to_thread=False,
    )
    def allowed_of_one(self) -> Response[None]:
        """The same, of one user."""
        return Response(None, headers={"Allow": "GET, PATCH, OPTIONS"})
