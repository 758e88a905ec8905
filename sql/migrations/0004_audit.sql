-- The audit trail: what happened, who did it, to whom. Rows are only ever added; retention drops whole partitions.

CREATE TABLE audit_event (
    id             uuid NOT NULL PRIMARY KEY,
    at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    event          text NOT NULL,
    actor_kind     text NOT NULL CHECK (actor_kind IN ('customer', 'operator', 'application', 'command line', 'service')),
    actor_id       uuid,
    application_id uuid,
    customer_id    uuid,
    grant_id       uuid,
    request_id     text,
    detail         jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (id);
CREATE INDEX ON audit_event (application_id, id);
CREATE INDEX ON audit_event (customer_id, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;

-- Even the owner does not rewrite history by accident; the service has no right to try.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT ON audit_event TO rovitracker_service;
