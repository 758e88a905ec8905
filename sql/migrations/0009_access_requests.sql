-- The manual route: an application asks RoviTracker for a customer's data, an operator releases it, the customer answers.

CREATE TABLE access_request (
    id             uuid PRIMARY KEY,
    application_id uuid NOT NULL REFERENCES application,
    asked_by       uuid REFERENCES person,
    customer_email text NOT NULL CHECK (customer_email = lower(customer_email)),
    reason         text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 280 AND reason !~ '[[:cntrl:]]'),
    scope          text NOT NULL CHECK (scope <> ''),
    state          text NOT NULL DEFAULT 'asked' CHECK (state IN
                   ('asked', 'released', 'refused', 'approved', 'denied', 'collected', 'expired', 'withdrawn')),
    asked_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at        timestamptz NOT NULL,
    judged_by      uuid REFERENCES person,
    judged_at      timestamptz,
    judged_reason  text CHECK (judged_reason <> ''),
    customer_id    uuid REFERENCES customer,
    decided_by     uuid REFERENCES person,
    decided_at     timestamptz,
    grant_id       uuid,
    mailed_at      timestamptz,
    closed_at      timestamptz,
    CHECK (num_nonnulls(judged_by, judged_at, judged_reason) IN (0, 3)),
    CHECK (num_nonnulls(customer_id, decided_by, decided_at) IN (0, 3)),
    CHECK (judged_at IS NOT NULL OR state IN ('asked', 'expired', 'withdrawn')),
    CHECK (decided_at IS NOT NULL OR state NOT IN ('approved', 'denied', 'collected')),
    CHECK ((grant_id IS NOT NULL) = (state = 'collected')),
    CHECK (mailed_at IS NULL OR state = 'collected'),
    CHECK (state = 'denied' OR (closed_at IS NULL) = (state IN ('asked', 'released', 'approved')))
);
CREATE UNIQUE INDEX ON access_request (application_id, customer_email) WHERE closed_at IS NULL;
CREATE INDEX ON access_request (application_id, id);
CREATE INDEX ON access_request (customer_email) WHERE state = 'released';
CREATE INDEX ON access_request (customer_id, application_id) WHERE customer_id IS NOT NULL;
CREATE INDEX ON access_request (ends_at) WHERE closed_at IS NULL;
CREATE INDEX ON access_request (closed_at);
COMMENT ON TABLE access_request IS 'Requests of the manual route. No row holds a token or a link, or anything one can be made from.';
COMMENT ON COLUMN access_request.asked_by IS 'The owner of the application who asked; null when it was entered by RoviTracker';
COMMENT ON COLUMN access_request.customer_email IS 'As it was typed, in lower case. It may be nobody''s';
COMMENT ON COLUMN access_request.reason IS 'The asker''s words for the customer: plain text, links taken out';
COMMENT ON COLUMN access_request.state IS 'denied: by the customer. The asker is not told that, and sees it wait until ends_at';
COMMENT ON COLUMN access_request.ends_at IS 'Unanswered until then, it expires; after a yes, until then the token can be picked up';
COMMENT ON COLUMN access_request.judged_by IS 'The operator who released or refused it';
COMMENT ON COLUMN access_request.decided_by IS 'The member who said yes or no, for customer_id';
COMMENT ON COLUMN access_request.grant_id IS 'What was issued when it was picked up';
COMMENT ON COLUMN access_request.mailed_at IS 'When a token was made last for a mail that holds it; null where none was';
COMMENT ON COLUMN access_request.closed_at IS 'When it was over for the asker';

CREATE TABLE pick_up_link (
    digest     bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    request_id uuid NOT NULL REFERENCES access_request ON DELETE CASCADE
);
CREATE INDEX ON pick_up_link (request_id);
COMMENT ON TABLE pick_up_link IS 'Links mailed to an application''s owners, by the SHA-256 of their secrets. The request says whether they still work.';

GRANT SELECT, INSERT ON access_request, pick_up_link TO rovitracker_service;
GRANT UPDATE (state, ends_at, judged_by, judged_at, judged_reason, customer_id, decided_by, decided_at, grant_id, mailed_at,
              closed_at)
    ON access_request TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason, past_at, key_columns) VALUES
    ('access_request', 'table', '400 days', NULL, 'as long as reads are counted, after it was over', 'closed_at', 'id'),
    ('pick_up_link',   'table', NULL,       NULL, 'goes with the request it belongs to', NULL, NULL);
