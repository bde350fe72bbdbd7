-- Every function that touches tenant tables enters its tenant first. The setting ends with the transaction,
-- so nothing of it is left on the connection.
--
-- Functions that read are STABLE: all their statements see what the caller's one sees. A volatile function looks
-- anew for each of its statements, and may see half of what somebody commits in between.
CREATE OR REPLACE FUNCTION enter(org text, live boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.organization_id', org, true),
            set_config('app.livemode', live::text, true);
END $$;
