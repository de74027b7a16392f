import asyncio

from sqlalchemy import ARRAY, Integer, any_, literal, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


# ANCHOR: roster
# ANCHOR: shift
class Shift(Base):
    __tablename__ = "shift"
    day: Mapped[int] = mapped_column(primary_key=True)
    doctor: Mapped[str]
    swaps: Mapped[int]
# ANCHOR_END: shift


async def swap(connection, day, doctor):
    # ANCHOR: conflict
    shift = insert(Shift).values(day=day, doctor=doctor, swaps=0)
    shift = shift.on_conflict_do_update(
        index_elements=[Shift.day],
        set_={"doctor": shift.excluded.doctor, "swaps": Shift.swaps + 1},
    )
    # ANCHOR_END: conflict
    # ANCHOR: one
    result = await connection.execute(shift.returning(Shift))
    return result.one()
    # ANCHOR_END: one


# ANCHOR: on
async def on(connection, days):
    days = literal(days, ARRAY(Integer))
    result = await connection.execute(
        select(Shift).where(Shift.day == any_(days)).order_by(Shift.day)
    )
    return result.all()
# ANCHOR_END: on
# ANCHOR_END: roster


class Recorder:
    """Stands in for the connection, and keeps the SQL it is given."""

    async def execute(self, statement):
        self.sql = str(statement.compile(dialect=postgresql.dialect()))
        return self

    def one(self):
        return self.sql

    all = one


# ANCHOR: changes
async def changes(engine):
    # `in_` makes a parameter of each element.
    statement = select(Shift.doctor).where(Shift.day.in_([1, 8]))
    options = {"render_postcompile": True}
    sql = str(statement.compile(engine, compile_kwargs=options))
    assert sql.endswith("IN (?, ?)")

    # The pool rolls back what comes back to it.
    async with engine.connect() as connection:
        await connection.execute(text("INSERT INTO page VALUES ('Ada')"))
    async with engine.connect() as connection:
        assert not (await connection.execute(text("SELECT * FROM page"))).all()
# ANCHOR_END: changes


async def main():
    sql = await swap(Recorder(), 8, "Cleo")
    assert "ON CONFLICT (day) DO UPDATE SET doctor = excluded.doctor" in sql
    assert "RETURNING shift.day, shift.doctor, shift.swaps" in sql
    sql = await on(Recorder(), [1, 8])
    assert "WHERE shift.day = ANY (" in sql and "INTEGER[])" in sql

    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE page (doctor)"))
    await changes(engine)
    await engine.dispose()


asyncio.run(main())
