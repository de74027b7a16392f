import asyncio

from pytest import raises
from sqlalchemy import ForeignKey, select, text
from sqlalchemy.exc import ArgumentError, IntegrityError, ResourceClosedError
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.orm.exc import DetachedInstanceError


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "member"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    loans: Mapped[list["Loan"]] = relationship()


class Loan(Base):
    __tablename__ = "loan"
    id: Mapped[int] = mapped_column(primary_key=True)
    member: Mapped[int] = mapped_column(ForeignKey("member.id"))


# ANCHOR: recipe
class Library:
    def __init__(self, sessions):
        self.sessions = sessions

    async def execute(self, query, *params):
        async with self.sessions() as session:
            result = await session.execute(query, params)
            await session.commit()
            return result.fetchall()

    async def member(self, id):
        async with self.sessions() as session:
            return await session.get(Member, id)


async def recipe(library):
    # SQLAlchemy 2 takes neither plain strings nor positional parameters.
    by_id = text("SELECT email FROM member WHERE id = ?")
    for query, params in [("SELECT 1", []), (by_id, [1])]:
        with raises(ArgumentError):
            await library.execute(query, *params)

    # Writes, commits, and then fails: who tries again, writes again.
    insert = text("INSERT INTO loan (member) VALUES (1)")
    for _try in range(2):
        with raises(ResourceClosedError):
            await library.execute(insert)
    assert len(await library.execute(select(Loan))) == 2

    # A relation is loaded when it is asked for: the session is gone.
    member = await library.member(1)
    with raises(DetachedInstanceError):
        member.loans
# ANCHOR_END: recipe


# ANCHOR: changes
async def changes(sessions):
    # A duplicate and a missing value are one exception.
    for email in ("ada@example.org", None):
        with raises(IntegrityError):
            async with sessions.begin() as session:
                session.add(Member(email=email))

    # Nobody says commit: the end of the block does.
    async with sessions.begin() as session:
        session.add(Member(email="bob@example.org"))
    async with sessions() as session:
        assert len((await session.scalars(select(Member))).all()) == 2
# ANCHOR_END: changes


async def main():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    async with sessions.begin() as session:
        session.add(Member(email="ada@example.org"))
    await recipe(Library(sessions))
    await changes(sessions)
    await engine.dispose()


asyncio.run(main())
