-- Outgoing mail: the mails that wait, the links that were mailed, and how much was mailed lately.

CREATE TABLE mail (
    id              uuid PRIMARY KEY,
    template        text NOT NULL CHECK (template <> ''),
    recipient       text NOT NULL CHECK (recipient ~ '^[^[:cntrl:][:space:]]+@[^[:cntrl:][:space:]@]+$'),
    about           jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(about) = 'object'),
    language        text CHECK (language IN ('en', 'es')),
    state           text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused', 'given up')),
    queued_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts        integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    claimed_until   timestamptz,
    give_up_at      timestamptz NOT NULL DEFAULT clock_timestamp() + interval '3 days',
    settled_at      timestamptz,
    reply           text,
    CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX ON mail (next_attempt_at) WHERE state = 'waiting';
CREATE INDEX ON mail (settled_at);
COMMENT ON TABLE mail IS 'The outbox: a row is written in the transaction that causes the mail, and the words are written when it is sent.';
COMMENT ON COLUMN mail.id IS 'Also names the mail in its Message-ID, so that a mail that was sent twice can be recognised';
COMMENT ON COLUMN mail.about IS 'Ids of what the mail tells of, by name; no text and no secret';
COMMENT ON COLUMN mail.language IS 'In which the page was that caused the mail; a person''s own comes before it';
COMMENT ON COLUMN mail.claimed_until IS 'Until then one process is sending it, and no other may';
COMMENT ON COLUMN mail.reply IS 'What the mail server said last, or why it could not be asked';

CREATE TABLE mail_link (
    digest        bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    purpose       text NOT NULL CHECK (purpose <> ''),
    person_id     uuid REFERENCES person,
    invitation_id uuid REFERENCES invitation ON DELETE CASCADE,
    sign_up_id    uuid REFERENCES sign_up ON DELETE CASCADE,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz,
    CHECK (num_nonnulls(person_id, invitation_id, sign_up_id) = 1)
);
CREATE INDEX ON mail_link (person_id, purpose);
CREATE INDEX ON mail_link (invitation_id);
CREATE INDEX ON mail_link (sign_up_id);
CREATE INDEX ON mail_link (expires_at);
COMMENT ON TABLE mail_link IS 'Links that were mailed, by the SHA-256 of their secret, which has 256 random bits.';
COMMENT ON COLUMN mail_link.invitation_id IS 'Set instead of a person for an address that may be nobody''s yet; its row says whether the link still works';

CREATE TABLE mail_quota (
    name  text PRIMARY KEY,
    level double precision NOT NULL,
    at    timestamptz NOT NULL
);
CREATE INDEX ON mail_quota (at);
COMMENT ON TABLE mail_quota IS 'How much was mailed lately: to one address, because of one network, and in all.';
COMMENT ON COLUMN mail_quota.level IS 'The share of its limit that was used at the moment `at`; it drains from 1 to 0 in one day';

CREATE TABLE email_change (
    id               uuid PRIMARY KEY,
    person_id        uuid NOT NULL REFERENCES person,
    old_email        text NOT NULL,
    new_email        text NOT NULL,
    asked_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    ends_at          timestamptz NOT NULL,
    old_confirmed_at timestamptz,
    new_confirmed_at timestamptz,
    changed_at       timestamptz,
    ended_at         timestamptz,
    CHECK (changed_at IS NULL OR num_nulls(old_confirmed_at, new_confirmed_at) = 0)
);
CREATE INDEX ON email_change (person_id);
CREATE UNIQUE INDEX ON email_change (person_id) WHERE changed_at IS NULL AND ended_at IS NULL;
CREATE INDEX ON email_change (ends_at);
COMMENT ON TABLE email_change IS 'A person asked for another e-mail address. It holds from when both addresses have confirmed it.';
COMMENT ON COLUMN email_change.ends_at IS 'Until then it can be confirmed, and the old address can stop it or take it back';
COMMENT ON COLUMN email_change.ended_at IS 'When it was withdrawn, replaced by another, stopped or taken back';

CREATE TABLE email_change_link (
    digest    bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    change_id uuid NOT NULL REFERENCES email_change ON DELETE CASCADE,
    side      text NOT NULL CHECK (side IN ('old', 'new'))
);
CREATE INDEX ON email_change_link (change_id);
COMMENT ON TABLE email_change_link IS 'The links that were mailed to the two addresses, by the SHA-256 of their secrets.';

GRANT SELECT, INSERT ON mail, mail_link, mail_quota, email_change, email_change_link TO rovitracker_service;
GRANT UPDATE (old_confirmed_at, new_confirmed_at, changed_at, ended_at) ON email_change TO rovitracker_service;
GRANT UPDATE (state, attempts, next_attempt_at, claimed_until, give_up_at, settled_at, reply), DELETE ON mail
    TO rovitracker_service;
GRANT UPDATE (used_at) ON mail_link TO rovitracker_service;
GRANT UPDATE (level, at) ON mail_quota TO rovitracker_service;

INSERT INTO retention (name, kind, keep, partition_step, reason, past_at, key_columns) VALUES
    ('mail',              'table', '30 days',  NULL, 'a month after it was sent, refused or given up', 'settled_at', 'id'),
    ('mail_link',         'table', '30 days',  NULL, 'a month after it expired, so that a late click is told so', 'expires_at', 'digest'),
    ('mail_quota',        'table', '25 hours', NULL, 'longer than a day, after which a count is 0', 'at', 'name'),
    ('email_change',      'table', '30 days',  NULL, 'a month after its end, so that a late click is told so', 'ends_at', 'id'),
    ('email_change_link', 'table', NULL,       NULL, 'goes with the change it belongs to', NULL, NULL);

-- Whatever names a person, but for the row that the audit trail and grants refer to. The tests look through all tables.
CREATE FUNCTION erase_person(erased uuid, nobodys_hash text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    address CONSTANT text := (SELECT email FROM person WHERE id = erased FOR UPDATE);
BEGIN
    UPDATE person SET email = 'erased ' || id, name = 'Erased', password_hash = nobodys_hash, email_confirmed_at = NULL,
        totp_sealed = NULL, totp_sealed_with = NULL, totp_last_step = NULL, language = NULL,
        time_zone = 'UTC', ends_told_at = NULL, secrets_told_at = NULL, erased_at = clock_timestamp()
    WHERE id = erased;
    DELETE FROM customer_member WHERE person_id = erased;
    UPDATE customer SET closed_at = clock_timestamp(), disabled_at = coalesce(disabled_at, clock_timestamp())
    WHERE tester_id = erased AND closed_at IS NULL;
    DELETE FROM application_owner WHERE person_id = erased;
    DELETE FROM browser_session WHERE person_id = erased;
    DELETE FROM known_browser WHERE person_id = erased;
    DELETE FROM recovery_code WHERE person_id = erased;
    DELETE FROM passkey WHERE person_id = erased;
    DELETE FROM mail_link WHERE person_id = erased;
    DELETE FROM invitation WHERE email IN (SELECT unnest(ARRAY[old_email, new_email]) FROM email_change WHERE person_id = erased
                                           UNION SELECT address);
    DELETE FROM sign_up WHERE email IN (SELECT unnest(ARRAY[old_email, new_email]) FROM email_change WHERE person_id = erased
                                        UNION SELECT address);
    DELETE FROM mail WHERE recipient IN (SELECT unnest(ARRAY[old_email, new_email]) FROM email_change WHERE person_id = erased
                                         UNION SELECT address);
    UPDATE access_request SET customer_email = 'erased ' || id
    WHERE customer_email IN (SELECT unnest(ARRAY[old_email, new_email]) FROM email_change WHERE person_id = erased
                             UNION SELECT address);
    DELETE FROM email_change WHERE person_id = erased;
END $$;
REVOKE ALL ON FUNCTION erase_person(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_person(uuid, text) TO rovitracker_service;
