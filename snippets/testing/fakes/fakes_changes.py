import asyncio
import warnings
from asyncio import to_thread
from unittest.mock import AsyncMock, create_autospec, patch

import pytest

# The coroutine that nobody awaits below is there on purpose.
warnings.simplefilter("ignore", RuntimeWarning)


# ANCHOR: awaited
async def remind(post):
    post.send("Ada", "Please bring back Emma.")  # the await is missing


async def a_call_is_not_a_letter():
    post = AsyncMock()
    await remind(post)
    post.send.assert_called_once()  # passes
    with pytest.raises(AssertionError):
        post.send.assert_awaited_once()
# ANCHOR_END: awaited


# ANCHOR: attribute
class Post:
    async def send(self, reader, text): ...


async def a_mock_has_every_method():
    await AsyncMock().sned("Ada")  # nobody minds
    with pytest.raises(AttributeError):
        await create_autospec(Post).sned("Ada")
# ANCHOR_END: attribute


# ANCHOR: imported
posted = []


async def send(letter):
    await to_thread(posted.append, letter)  # from asyncio import to_thread


async def patched_where_it_is_defined():
    with patch("asyncio.to_thread", AsyncMock()) as fake:
        await send("a letter of the tests")
    fake.assert_not_called()
    assert posted.pop() == "a letter of the tests"  # it really went out


async def patched_where_it_is_used():
    with patch(f"{__name__}.to_thread", AsyncMock()) as fake:
        await send("a letter of the tests")
    fake.assert_awaited_once()
    assert not posted
# ANCHOR_END: imported


async def main():
    await a_call_is_not_a_letter()
    await a_mock_has_every_method()
    await patched_where_it_is_defined()
    await patched_where_it_is_used()


asyncio.run(main())
