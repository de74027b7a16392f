CREATE TABLE parcel (
    id INTEGER PRIMARY KEY,
    city TEXT NOT NULL,
    status TEXT NOT NULL
);
CREATE TABLE event (
    scan TEXT PRIMARY KEY,
    parcel INTEGER NOT NULL REFERENCES parcel,
    status TEXT NOT NULL
);
