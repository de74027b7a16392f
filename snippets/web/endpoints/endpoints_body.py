import asyncio
from typing import Annotated

import httpx
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

app = FastAPI()


# ANCHOR: order
class Order(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    grams: Annotated[int, Field(gt=0, lt=2**32)]


@app.post("/parcels/{parcel}/labels", status_code=201)
async def order(parcel: int, order: Order) -> Order:
    return order
# ANCHOR_END: order


class LooseOrder(BaseModel):
    grams: int


@app.post("/loose", status_code=201)
async def loose(order: LooseOrder) -> LooseOrder:
    return order


async def requests(client):
    labels, right = "/parcels/7/labels", '{"grams":500}'
    json, long = "application/json", '{"grams":500%s}' % (16384 * " ")
    for url, kind, body, status in [
        (labels, json, right, 201),
        (labels, json, "{grams:500}", 422),  # no JSON
        (labels, json, '{"grams":0}', 422),
        (labels, json, '{"grams":"500"}', 422),
        (labels, json, '{"grams":500,"cm":9}', 422),
        (labels, json, "{}", 422),
        (labels, json, long, 201),  # FastAPI sets no limit
        (labels, "text/plain", right, 422),
        ("/parcels/x/labels", json, right, 422),
    ]:
        headers = {"content-type": kind}
        response = await client.post(url, content=body, headers=headers)
        assert response.status_code == status, (body, response.text)
        wrong = status == 422
        assert wrong == isinstance(response.json().get("detail"), list)
    for body in ['{"grams":"500"}', '{"grams":500,"cm":9}']:
        headers = {"content-type": json}
        response = await client.post("/loose", content=body, headers=headers)
        assert (response.status_code, response.json()) == (201, {"grams": 500})


async def main():
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://service"
    ) as client:
        await requests(client)


asyncio.run(main())
