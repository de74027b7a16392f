# ANCHOR: library
import asyncio

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.orm.exc import DetachedInstanceError


class Base(DeclarativeBase):
    pass


# ANCHOR: member
class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str | None]
# ANCHOR_END: member


# ANCHOR: already
class AlreadyMember(Exception):
    pass
# ANCHOR_END: already


async def join(sessions, email):
    try:
        # ANCHOR: insert
        async with sessions.begin() as session:
            session.add(member := Member(email=email))
        return member.id
        # ANCHOR_END: insert
    # ANCHOR: twice
    except IntegrityError as error:
        raise AlreadyMember(email) from error
    # ANCHOR_END: twice


# ANCHOR: find
async def find(sessions, email):
    async with sessions() as session:
        return await session.scalar(select(Member).filter_by(email=email))
# ANCHOR_END: find
# ANCHOR_END: library


async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    # ANCHOR: sessions
    # By default `member.id` would raise DetachedInstanceError after the commit.
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    # ANCHOR_END: sessions

    id = await join(sessions, "ada@example.org")
    ada = await find(sessions, "ada@example.org")
    assert (ada.id, ada.phone) == (id, None)
    assert await find(sessions, "bob@example.org") is None
    assert await find(sessions, "' OR 'a' = 'a") is None
    try:
        await join(sessions, "ada@example.org")
        raise AssertionError("joined twice")
    except AlreadyMember:
        pass
    try:
        await join(async_sessionmaker(engine), "eve@example.org")
        raise AssertionError("she has joined, and nobody knows her number")
    except DetachedInstanceError:
        pass
    await engine.dispose()


asyncio.run(main())
