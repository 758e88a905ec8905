-- The two roles that the service works under. Neither can log in, and neither owns anything.
--
--   rovitracker_service  every connection of the service (SET ROLE, or a login granted to it)
--   rovitracker_ingest   the transactions that write machines of any customer (SET LOCAL ROLE)
--
-- Roles belong to the whole cluster, and the migration lock belongs to one database. Two databases of one cluster
-- may therefore run this file at the same moment, so every step accepts that the other did it first.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['rovitracker_service', 'rovitracker_ingest'] LOOP
        -- An administrator makes the roles beforehand where the owner may create none. Asking first matters:
        -- CREATE ROLE is refused for want of that right even where the role exists.
        CONTINUE WHEN to_regrole(role_name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END LOOP;
END $$;

-- The owner may become the service, and the service may become the ingest. Neither inherits the other's rights.
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
