CREATE TABLE parcel (
    id INTEGER PRIMARY KEY,
    city TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'accepted'
);
