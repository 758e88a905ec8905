-- What the owners of an application propose, and what a reviewer decided. The approved version stays in `application`.

CREATE TABLE application_review (
    id             uuid PRIMARY KEY,
    application_id uuid NOT NULL REFERENCES application,
    asked_by       uuid NOT NULL REFERENCES person,
    asked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    goes_live      boolean NOT NULL,
    name           text NOT NULL CHECK (name <> ''),
    company        text NOT NULL CHECK (company <> ''),
    logo_digest    bytea CHECK (octet_length(logo_digest) = 32),
    redirect_uris  text[] NOT NULL,
    scope          text NOT NULL,
    terms_uri      text CHECK (terms_uri ~ '^https://'),
    privacy_uri    text CHECK (privacy_uri ~ '^https://'),
    message        text NOT NULL CHECK (length(message) <= 1000),
    version        integer NOT NULL DEFAULT 1 CHECK (version > 0),
    decision       text CHECK (decision IN ('approved', 'refused', 'withdrawn')),
    decided_at     timestamptz,
    decided_by     uuid REFERENCES person,
    reason         text CHECK (length(reason) BETWEEN 1 AND 1000),
    CHECK ((decision IS NULL) = (decided_at IS NULL)),
    CHECK ((decision IS NOT DISTINCT FROM 'refused') = (reason IS NOT NULL))
);
-- One that waits, for each application; a newer proposal replaces its values.
CREATE UNIQUE INDEX ON application_review (application_id) WHERE decision IS NULL;
CREATE INDEX ON application_review (application_id, id);
CREATE INDEX ON application_review (decided_at);
COMMENT ON TABLE application_review IS 'What customers are to recognise an application by, once a reviewer says yes.';
COMMENT ON COLUMN application_review.goes_live IS 'Whether the application was in test mode, and meets real customers from the approval on';
COMMENT ON COLUMN application_review.message IS 'From the owners to the reviewer';
COMMENT ON COLUMN application_review.version IS 'It grows with each change of the proposal, so that nobody approves what they have not seen';
COMMENT ON COLUMN application_review.decided_by IS 'Who decided or withdrew it; null when a command line did';
COMMENT ON COLUMN application_review.reason IS 'Why it was refused, for the owners';

GRANT SELECT, INSERT ON application_review TO rovitracker_service;
GRANT UPDATE (asked_by, asked_at, name, company, logo_digest, redirect_uris, scope, terms_uri, privacy_uri, message, version,
              decision, decided_at, decided_by, reason)
    ON application_review TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason, past_at, key_columns) VALUES
    ('application_review', 'table', '3 years', NULL, 'as long as the trail, after the decision', 'decided_at', 'id');
