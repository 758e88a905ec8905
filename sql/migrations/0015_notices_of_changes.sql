-- Owners of an application choose whether they are told that a customer changed what it may read.

ALTER TABLE application_owner
    DROP CONSTRAINT application_owner_notices_off_check,
    ADD CONSTRAINT application_owner_notices_off_check
        CHECK (notices_off <@ ARRAY['connected', 'changed', 'disconnected', 'ending', 'secret']);
