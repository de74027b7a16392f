import asyncio
import functools


# ANCHOR: changes
async def a_stopwatch_that_is_not_async_measures_nothing():
    async def kiss():
        await asyncio.sleep(0.01)

    def timed(scene):
        @functools.wraps(scene)
        def clocked(*args):
            start = asyncio.get_running_loop().time()
            end = scene(*args)
            times.append(asyncio.get_running_loop().time() - start)
            return end
        return clocked

    times = []
    await timed(kiss)()  # works
    assert times[0] < 0.01


async def a_function_and_not_a_coroutine():
    async def kiss():
        return "a kiss"

    scene = kiss()
    assert await scene == "a kiss"
    try:
        await scene  # for a second take, there is no second scene
        raise AssertionError("it has been played")
    except RuntimeError as error:
        assert "already awaited" in str(error)


async def a_function_that_is_not_async_is_found_late():
    def kiss():
        played.append("a kiss")

    played = []
    try:
        await kiss()
        raise AssertionError("there is nothing to await")
    except TypeError:
        assert played == ["a kiss"]


async def a_closure_holds_the_name_and_not_the_value():
    async def play(number):
        return number

    scenes = [lambda: play(number) for number in range(3)]
    assert [await scene() for scene in scenes] == [2, 2, 2]
# ANCHOR_END: changes


async def main():
    await a_stopwatch_that_is_not_async_measures_nothing()
    await a_function_and_not_a_coroutine()
    await a_function_that_is_not_async_is_found_late()
    await a_closure_holds_the_name_and_not_the_value()


asyncio.run(main())
