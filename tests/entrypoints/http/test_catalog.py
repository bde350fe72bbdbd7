"""PUT and GET /v1/catalog."""

from copy import deepcopy

from tests.entrypoints.http.conftest import CATALOG, Service, assert_problem


async def test_a_catalog_is_applied_read_and_applied_again(service: Service) -> None:
    first = await service.client.put("/v1/catalog", json=CATALOG)
    assert first.status_code == 200
    reply = first.json()
    assert [(change["action"], change["type"], change["slug"]) for change in reply["changes"]] == [
        ("created", "feature", "seats"),
        ("created", "pricing_model", "standard"),
        ("created", "product", "free"),
        ("created", "product", "book"),
        ("created", "price", "book"),
        ("created", "product", "sample"),
        ("created", "price", "sample"),
    ]
    assert reply["dry_run"] is False
    read = (await service.client.get("/v1/catalog")).json()
    assert read == reply["catalog"]
    again = await service.client.put("/v1/catalog", json=read)
    assert again.json() == {"changes": [], "dry_run": False, "catalog": read}


async def test_a_dry_run_only_says(service: Service) -> None:
    reply = (await service.client.put("/v1/catalog?dry_run=true", json=CATALOG)).json()
    assert len(reply["changes"]) == 7
    assert reply["dry_run"] is True
    assert reply["catalog"] == {"pricing_models": [], "features": []}
    assert "catalog.applied" not in {event.type for event in service.store.events}


async def test_the_place_of_a_broken_rule_is_named(service: Service) -> None:
    document = deepcopy(CATALOG)
    document["pricing_models"][0]["products"][1]["prices"][0]["interval"] = "month"
    reply = await service.client.put("/v1/catalog", json=document)
    assert_problem(reply, 422, "invalid_catalog", "pricing_models[0].products[1].prices[0].interval")


async def test_the_place_of_a_wrong_type_or_name_is_named(service: Service) -> None:
    for field, value, code, place in (
        ("slug", "Book", "invalid_value", "pricing_models[0].products[1].slug"),
        ("nmae", "Book", "unknown_field", "pricing_models[0].products[1].nmae"),
        ("is_default", "yes", "wrong_type", "pricing_models[0].products[1].is_default"),
        ("id", "pm_00000000000000000000000001", "invalid_id", "pricing_models[0].products[1].id"),
    ):
        document = deepcopy(CATALOG)
        document["pricing_models"][0]["products"][1][field] = value
        reply = await service.client.put("/v1/catalog", json=document)
        assert_problem(reply, 422, code, place)


async def test_a_value_that_is_none_of_those_allowed(service: Service) -> None:
    document = {"features": [{"slug": "a", "name": "A", "type": "magic"}]}
    problem = assert_problem(
        await service.client.put("/v1/catalog", json=document), 422, "invalid_value", "features[0].type"
    )
    assert problem["detail"] == "features[0].type cannot be 'magic'"


async def test_a_dry_run_is_yes_or_no(service: Service) -> None:
    reply = await service.client.put("/v1/catalog?dry_run=perhaps", json=CATALOG)
    assert_problem(reply, 422, "wrong_type", "dry_run")


async def test_a_mistyped_dry_run_applies_nothing(service: Service) -> None:
    reply = await service.client.put("/v1/catalog?dryrun=true", json=CATALOG)
    assert_problem(reply, 422, "unknown_field", "dryrun")
    assert (await service.client.get("/v1/catalog")).json()["pricing_models"] == []
