-- What was granted and what was issued from it. No row here holds a code, a token or anything one can be made from.
--
-- Every id is a UUIDv7 whose last 12 bits are a bucket: a hash of the customer, or of the application where there is
-- no customer. The bucket has a column of its own too. All rows of one customer share it, so a distributed PostgreSQL
-- can shard by it, and a look-up then goes to one shard.
--
-- Each index is written with every token, so there is none that no statement needs. At 20 million grants an index of
-- grants by customer and application was half of an exchange's WAL, and nothing read it.

-- It runs twice for every token. Reading the text of an id instead of its bytes took twice as long.
CREATE FUNCTION bucket_of(id uuid) RETURNS smallint LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ((get_byte(uuid_send(id), 14) & 15) * 256 + get_byte(uuid_send(id), 15))::smallint;
COMMENT ON FUNCTION bucket_of IS 'The last 12 bits of an id';

CREATE TABLE authorization_grant (
    id             uuid NOT NULL,
    bucket         smallint NOT NULL CHECK (bucket BETWEEN 0 AND 4095),
    application_id uuid NOT NULL,
    customer_id    uuid NOT NULL,
    member_id      uuid,
    operator_id    uuid,
    code_digest    bytea CHECK (octet_length(code_digest) = 32),
    code_challenge text,
    first_token_id uuid NOT NULL,
    scope          text NOT NULL,
    audience       text,
    approved_at    timestamptz NOT NULL,
    revoked_at     timestamptz,
    expires_at     timestamptz,
    PRIMARY KEY (id, bucket)
);
-- For the list of a customer's connections. Classic grants have no entry, so their exchange writes nothing here.
CREATE INDEX ON authorization_grant (customer_id) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE authorization_grant IS 'One redeemed approval. Its id is the authorization code''s id, so that of several redeemers exactly one inserts it.';
COMMENT ON COLUMN authorization_grant.first_token_id IS 'The token inserted by the same statement: a redeemer that reads its own id here has won';
COMMENT ON COLUMN authorization_grant.code_digest IS 'SHA-256 of the whole code: tells a replay of it from a guess';
COMMENT ON COLUMN authorization_grant.code_challenge IS 'Lets a public application prove that a replay is its own (RFC 7636)';
COMMENT ON COLUMN authorization_grant.operator_id IS 'Who issued it, on the manual route';
COMMENT ON COLUMN authorization_grant.expires_at IS 'When the last strict token from it is past, refresh tokens included. Null for classic tokens, which have ends of their own.';

CREATE TABLE classic_token (
    id                  uuid NOT NULL,
    bucket              smallint NOT NULL,
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id            uuid,
    application_id      uuid NOT NULL,
    customer_id         uuid,
    scope               text NOT NULL,
    audience            text,
    approved_at         timestamptz NOT NULL,
    issued_at           timestamptz NOT NULL,
    used_at             timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    revoked_at          timestamptz,
    PRIMARY KEY (id, bucket)
) WITH (fillfactor = 80);  -- a renewal finds room for its new version on the same page
CREATE INDEX ON classic_token (customer_id, application_id, scope) WHERE revoked_at IS NULL;
CREATE INDEX ON classic_token (grant_id);
CREATE INDEX ON classic_token ((least(expires_at, revoked_at)));  -- when it was over: what retention asks for
COMMENT ON TABLE classic_token IS 'Long-lived access tokens (class letter c): 365 days from their last use, three years at most.';
COMMENT ON COLUMN classic_token.used_at IS 'Last renewal, to the day: a use moves it and expires_at at most once in 24 hours';

CREATE TABLE strict_token (
    id             uuid NOT NULL,
    bucket         smallint NOT NULL,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id       uuid,
    application_id uuid NOT NULL,
    customer_id    uuid,
    scope          text NOT NULL,
    audience       text,
    confirmation   text,
    approved_at    timestamptz NOT NULL,
    issued_at      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz,
    PRIMARY KEY (id, bucket)
) PARTITION BY RANGE (id);
CREATE INDEX ON strict_token (grant_id);
COMMENT ON TABLE strict_token IS 'Short-lived access tokens (class letter s), partitioned by id, that is by time: expiry is a dropped partition.';
COMMENT ON COLUMN strict_token.confirmation IS 'Thumbprint of the key the token is bound to (RFC 9449), where it is';

CREATE TABLE refresh_token (
    id                  uuid NOT NULL,
    bucket              smallint NOT NULL,
    digest              bytea NOT NULL CHECK (octet_length(digest) = 32),
    grant_id            uuid NOT NULL,
    application_id      uuid NOT NULL,
    customer_id         uuid,
    scope               text NOT NULL,
    audience            text,
    successor_id        uuid,
    approved_at         timestamptz NOT NULL,
    issued_at           timestamptz NOT NULL,
    expires_at          timestamptz NOT NULL,
    absolute_expires_at timestamptz NOT NULL,
    PRIMARY KEY (id, bucket)
) PARTITION BY RANGE (id);
-- A family has many spent tokens, and the one that is not spent is among the newest. The id finds it at once.
CREATE INDEX ON refresh_token (grant_id, id);
COMMENT ON TABLE refresh_token IS 'Refresh tokens, spent ones too: a spent one names its successor and stays until its whole family is past.';

CREATE TABLE legacy_token (
    id             uuid NOT NULL,
    bucket         smallint NOT NULL,
    digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
    application_id uuid NOT NULL,
    customer_id    uuid NOT NULL,
    scope          text NOT NULL,
    approved_at    timestamptz NOT NULL,
    issued_at      timestamptz,
    imported_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    used_at        timestamptz,
    expires_at     timestamptz,
    revoked_at     timestamptz,
    PRIMARY KEY (id, bucket)
) WITH (fillfactor = 80);
CREATE INDEX ON legacy_token (customer_id) WHERE revoked_at IS NULL;
CREATE INDEX ON legacy_token (expires_at) WHERE expires_at IS NOT NULL;  -- what retention asks for
COMMENT ON TABLE legacy_token IS 'Access tokens of a former system, imported as digests. LEGACY_TOKENS_UNTIL ends them all.';
COMMENT ON COLUMN legacy_token.id IS 'Made of the first bytes of the digest: the same token has the same id in every import';
COMMENT ON COLUMN legacy_token.approved_at IS 'The issue where it is known, else 1970: any cut of the pair then ends it';
COMMENT ON COLUMN legacy_token.used_at IS 'Last use, to the day; null before the first one here';

CREATE TABLE share (
    number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customer,
    replaced_at timestamptz
);
CREATE INDEX ON share (replaced_at);
COMMENT ON TABLE share IS 'Chosen machines of a customer, which share_machine lists. It is never changed, but replaced by another.';
COMMENT ON COLUMN share.replaced_at IS 'From then on no connection names it; readers who still do notice within a second';

CREATE TABLE connection (
    customer_id    uuid NOT NULL REFERENCES customer,
    application_id uuid NOT NULL REFERENCES application,
    approved_at    timestamptz,
    approved_by    uuid REFERENCES person,
    route          text CHECK (route IN ('code', 'client_credentials', 'manual', 'imported')),
    cut_at         timestamptz,
    ends_at        timestamptz,
    end_known      boolean NOT NULL DEFAULT false,
    end_set_at     timestamptz,
    share          bigint REFERENCES share,
    history_from   timestamptz,
    terms_at       timestamptz,
    version        integer NOT NULL DEFAULT 1 CHECK (version > 0),
    detailed       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (customer_id, application_id),
    CHECK ((approved_at IS NULL) = (route IS NULL)),
    CHECK (num_nonnulls(approved_at, cut_at) > 0)
);
CREATE INDEX ON connection (ends_at) WHERE NOT end_known AND ends_at IS NOT NULL;  -- whose end is to be told
CREATE INDEX ON connection (ends_at) WHERE ends_at IS NOT NULL;  -- what ends soon, for the owners of applications
CREATE INDEX ON connection (application_id);  -- how many customers use it, which consent tells
COMMENT ON TABLE connection IS 'What an application may do for a customer, by whatever way in. No token works without its row.';
COMMENT ON COLUMN connection.approved_at IS 'The approval by which it stands, or stood last; null when it was cut before any';
COMMENT ON COLUMN connection.approved_by IS 'The member or operator who approved; null where a command line or an import did';
COMMENT ON COLUMN connection.route IS 'The way in by which it began';
COMMENT ON COLUMN connection.cut_at IS 'Whatever was approved up to this moment is inactive. One row, however many tokens';
COMMENT ON COLUMN connection.ends_at IS 'It ends by itself at this moment; null: never';
COMMENT ON COLUMN connection.end_set_at IS 'When somebody chose ends_at';
COMMENT ON COLUMN connection.end_known IS 'The owners of the account were told of this end, or it was less than 30 days ahead when somebody set it';
COMMENT ON COLUMN connection.share IS 'The machines that are shared; null: all, those that join later too';
COMMENT ON COLUMN connection.history_from IS 'Nothing that was reported before is shown; null: all that there is';
COMMENT ON COLUMN connection.terms_at IS 'When somebody chose share, history_from and ends_at last; null: nobody did';
COMMENT ON COLUMN connection.detailed IS 'Whether its application asked by authorization details, so that answers say what was granted';
COMMENT ON COLUMN connection.version IS 'It grows with each change, so that nobody overwrites what they have not seen';

-- The upsert changes no column that has an index, and fillfactor leaves the new version room on its page.
CREATE TABLE connection_read (
    customer_id        uuid NOT NULL,
    application_id     uuid NOT NULL,
    equipment_key      bigint NOT NULL CHECK (equipment_key >= 0),
    day                date NOT NULL,
    kind               smallint NOT NULL CHECK (kind BETWEEN 1 AND 8),
    connection_version integer NOT NULL CHECK (connection_version > 0),
    reads              bigint NOT NULL CHECK (reads > 0),
    last_at            timestamptz NOT NULL,
    PRIMARY KEY (customer_id, application_id, equipment_key, day, kind, connection_version)
) WITH (fillfactor = 80);
CREATE INDEX ON connection_read ((day + 1));  -- when its day was over: what retention asks for
COMMENT ON TABLE connection_read IS 'How often an application read what of a customer''s on a day. Each process adds what it gathered.';
COMMENT ON COLUMN connection_read.equipment_key IS '0: all reads of the kind. Any other: those among them that named this machine';
COMMENT ON COLUMN connection_read.day IS 'In UTC';
COMMENT ON COLUMN connection_read.kind IS 'A number of ReadKind';
COMMENT ON COLUMN connection_read.connection_version IS 'The version of the connection by which it was read: what was shared then';

GRANT SELECT, INSERT ON
    authorization_grant, classic_token, strict_token, refresh_token, legacy_token, share, connection, connection_read
    TO rovitracker_service;
GRANT UPDATE (revoked_at) ON authorization_grant, classic_token, strict_token, legacy_token TO rovitracker_service;
GRANT UPDATE (used_at) ON legacy_token TO rovitracker_service;
GRANT UPDATE (used_at, expires_at) ON classic_token TO rovitracker_service;
GRANT UPDATE (successor_id) ON refresh_token TO rovitracker_service;
GRANT UPDATE (replaced_at) ON share TO rovitracker_service;
GRANT UPDATE (approved_at, approved_by, route, cut_at, ends_at, end_known, end_set_at, share, history_from, terms_at, version, detailed) ON connection
    TO rovitracker_service;
GRANT UPDATE (reads, last_at) ON connection_read TO rovitracker_service;
