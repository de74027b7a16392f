import asyncio

from pytest import raises
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.exc import ArgumentError, IntegrityError, ResourceClosedError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.orm.exc import DetachedInstanceError


class Base(DeclarativeBase):
    pass


class Parcel(Base):
    __tablename__ = "parcel"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    events: Mapped[list["Event"]] = relationship()


class Event(Base):
    __tablename__ = "event"
    id: Mapped[int] = mapped_column(primary_key=True)
    parcel: Mapped[int] = mapped_column(ForeignKey("parcel.id"))


# ANCHOR: recipe
class Parcels:
    def __init__(self, sessions):
        self.sessions = sessions

    async def execute(self, query, *params):
        async with self.sessions() as session:
            result = await session.execute(query, params)
            await session.commit()
            return result.fetchall()

    async def parcel(self, id):
        async with self.sessions() as session:
            return await session.get(Parcel, id)


async def recipe(parcels):
    # SQLAlchemy 2 takes neither plain strings nor positional parameters.
    by_id = text("SELECT code FROM parcel WHERE id = ?")
    for query, params in [("SELECT 1", []), (by_id, [1])]:
        with raises(ArgumentError):
            await parcels.execute(query, *params)

    # It commits, and then fails. If the caller retries, it writes again.
    insert = text("INSERT INTO event (parcel) VALUES (1)")
    for _attempt in range(2):
        with raises(ResourceClosedError):
            await parcels.execute(insert)
    assert len(await parcels.execute(select(Event))) == 2

    # A relation is loaded when it is used, and the session has ended.
    parcel = await parcels.parcel(1)
    with raises(DetachedInstanceError):
        parcel.events
# ANCHOR_END: recipe


# ANCHOR: changes
async def changes(sessions):
    # A duplicate and a missing value raise the same exception.
    for code in ("AB-1", None):
        with raises(IntegrityError):
            async with sessions.begin() as session:
                session.add(Parcel(code=code))

    # The end of the block commits. After that the object cannot be read, if
    # you do not say `async_sessionmaker(engine, expire_on_commit=False)`.
    async with sessions.begin() as session:
        session.add(parcel := Parcel(code="AB-2"))
    with raises(DetachedInstanceError):
        parcel.id
    async with sessions() as session:
        assert len((await session.scalars(select(Parcel))).all()) == 2
# ANCHOR_END: changes


async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine)
    async with sessions.begin() as session:
        session.add(Parcel(code="AB-1"))
    await recipe(Parcels(sessions))
    await changes(sessions)
    await engine.dispose()


asyncio.run(main())
