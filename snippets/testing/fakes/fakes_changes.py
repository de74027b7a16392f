import asyncio
import warnings
from asyncio import to_thread
from unittest.mock import AsyncMock, create_autospec, patch

import pytest

# The coroutine that is not awaited below is there on purpose.
warnings.simplefilter("ignore", RuntimeWarning)


# ANCHOR: awaited
async def notify(notifier):
    notifier.send(7)  # the await is missing


async def a_call_does_not_send():
    notifier = AsyncMock()
    await notify(notifier)
    notifier.send.assert_called_once()  # passes
    with pytest.raises(AssertionError):
        notifier.send.assert_awaited_once()
# ANCHOR_END: awaited


# ANCHOR: attribute
class Notifier:
    async def send(self, parcel): ...


async def a_mock_has_every_method():
    await AsyncMock().sned(7)  # passes
    notifier = create_autospec(Notifier)
    with pytest.raises(AttributeError):
        await notifier.sned(7)
    with pytest.raises(TypeError):
        await notifier.send()  # an argument is missing
# ANCHOR_END: attribute


# ANCHOR: imported
sent = []


async def send(parcel):
    await to_thread(sent.append, parcel)  # from asyncio import to_thread


async def patched_where_it_is_defined():
    with patch("asyncio.to_thread", AsyncMock()) as fake:
        await send(7)
    fake.assert_not_awaited()
    assert sent.pop() == 7  # it was sent


async def patched_where_it_is_used():
    with patch(f"{__name__}.to_thread", AsyncMock()) as fake:
        await send(7)
    fake.assert_awaited_once()
    assert not sent
# ANCHOR_END: imported


async def main():
    await a_call_does_not_send()
    await a_mock_has_every_method()
    await patched_where_it_is_defined()
    await patched_where_it_is_used()


asyncio.run(main())
