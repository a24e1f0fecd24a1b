"""What was read of the library lately is kept, but not more of it than it may weigh."""

from bot.backends.sqlite.edition import Edition


async def test_the_oldest_go_when_all_that_is_kept_weighs_too_much():
    asked = []

    async def missing(keys):
        asked.append(keys)
        return {key: "x" * key for key in keys if key}

    recent = Edition().keep(10, lambda _, value: len(value))
    assert await recent.read([4, 5, 0], missing) == {4: "xxxx", 5: "xxxxx"}
    assert await recent.read([4, 5], missing) == {4: "xxxx", 5: "xxxxx"}
    await recent.read([3], missing)
    assert await recent.read([5, 4, 3], missing) == {5: "xxxxx", 4: "xxxx", 3: "xxx"}
    assert asked == [[4, 5, 0], [3], [4]]


async def test_what_weighs_nothing_or_is_borrowed_is_read_each_time():
    asked = []

    async def missing(keys):
        asked.append(keys)
        return dict.fromkeys(keys, "")

    for borrowed in (False, True):
        recent = Edition(borrowed=borrowed).keep(10, lambda _, __, weight=borrowed: weight)
        await recent.read(["a"], missing)
        await recent.read(["a"], missing)
    assert len(asked) == 4
