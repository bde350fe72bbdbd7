"""The description's examples are what the service answers, and what it takes."""

from tests.entrypoints.http.conftest import Service
from tests.entrypoints.http.described import Described, description_of
from tests.entrypoints.http.examples import FILE, recorded, written


async def test_the_examples_are_what_the_service_answers() -> None:
    assert FILE.read_bytes() == written(await recorded()), "python -m tests.entrypoints.http.examples"


async def test_what_is_answered_well_has_an_example_that_fits(service: Service) -> None:
    description = description_of(service.app)
    described = Described(description)
    for path, item in description["paths"].items():
        for operation in item.values():
            request = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if request is not None and path != "/v1/stripe/webhooks":  # that one is Stripe's
                described.validator(request["schema"]).validate(request["example"])
            for status, reply in operation["responses"].items():
                for media_type, content in reply.get("content", {}).items():
                    if media_type == "application/json":
                        described.validator(content["schema"]).validate(content["example"])
                    for code, example in content.get("examples", {}).items():
                        problem = example["value"]
                        assert (problem["code"], problem["status"]) == (code, int(status))
                        described.validator(content["schema"]).validate(problem)
