# ANCHOR: auction
import asyncio


# ANCHOR: shared
class Auction:
    def __init__(self):
        self.price, self.bidder = 100, "nobody"
        self.telephone = asyncio.Lock()
    # ANCHOR_END: shared

    # ANCHOR: raise
    def raise_by(self, amount, bidder):
        self.price += amount  # no await, so nobody comes between
        self.bidder = bidder
    # ANCHOR_END: raise


async def ask(client):
    await asyncio.sleep(0.001)
    return 10


# ANCHOR: agent
async def agent(auction, client):
    async with auction.telephone:
        amount = await ask(client)
    auction.raise_by(amount, client)
# ANCHOR_END: agent


async def main():
    auction = Auction()
    # ANCHOR: sale
    async with asyncio.TaskGroup() as sale:
        for client in ("Ada", "Ben", "Cem"):
            sale.create_task(agent(auction, client))
        auction.raise_by(25, "the room")
    # ANCHOR_END: sale
    assert (auction.price, auction.bidder) == (155, "Cem")
# ANCHOR_END: auction


asyncio.run(main())
