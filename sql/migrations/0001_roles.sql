-- The two roles the service works under. Neither can log in and neither owns anything.
--
--   rovitracker_service  every connection of the service (SET ROLE, or a login granted to it)
--   rovitracker_ingest   the transactions that write machines of any customer (SET LOCAL ROLE)
--
-- Roles belong to the whole cluster while the migration lock belongs to one database, so two databases
-- of one cluster may run this file at the same moment: every step accepts that the other did it first.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['rovitracker_service', 'rovitracker_ingest'] LOOP
        -- Made beforehand where the owner may create no roles; even a vain CREATE ROLE would need that right.
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;

-- The owner may become the service, the service may become the ingest, neither inherits the other's rights.
DO $$
DECLARE
    attempt integer;
    step record;
BEGIN
    FOR step IN
        SELECT * FROM (VALUES ('rovitracker_service', current_user::text),
                              ('rovitracker_ingest', current_user::text),
                              ('rovitracker_ingest', 'rovitracker_service')) AS v(granted, member)
    LOOP
        attempt := 0;
        WHILE NOT pg_has_role(step.member, step.granted, 'SET') LOOP
            BEGIN
                EXECUTE format('GRANT %I TO %I WITH INHERIT FALSE, SET TRUE', step.granted, step.member);
            EXCEPTION
                -- XX000 is "tuple concurrently updated": the other database granted the same membership.
                WHEN unique_violation OR internal_error OR duplicate_object THEN
                    attempt := attempt + 1;
                    IF attempt > 50 THEN
                        RAISE;
                    END IF;
                    PERFORM pg_sleep(0.02);
            END;
        END LOOP;
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA public TO rovitracker_service, rovitracker_ingest;
GRANT SELECT ON schema_migration TO rovitracker_service;
