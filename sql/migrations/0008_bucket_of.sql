-- The last 12 bits of an id, read off its bytes: half the time of reading them off its text, twice for every token.
CREATE OR REPLACE FUNCTION bucket_of(id uuid) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((get_byte(uuid_send(id), 14) & 15) * 256 + get_byte(uuid_send(id), 15))::smallint;
