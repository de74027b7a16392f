ALTER TABLE parcel ADD COLUMN grams INTEGER;
CREATE INDEX parcel_city ON parcel (city);
