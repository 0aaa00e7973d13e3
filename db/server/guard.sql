-- What the server itself holds to, whatever program is connected: who acts, which moves are legal, that every
-- change has its entry in the journal, and that the journal is chained. Run by the owner; may be run again.
--
-- jw_owner owns the tables and is asked nothing (migrations, adoption, restoring). Everybody else is one
-- person with a login of the same name as the account; what he or she may do is what the roles say.
--
-- A check within a statement either refuses at once, or notes a doubt (jw_doubtful) that only the entry of the
-- journal can settle: taking back an act puts back what nobody may do anew. It is settled at the commit.

-- The number of a transaction, and the oldest one that is still open. PostgreSQL 13 has newer names for both;
-- KingbaseES and openGauss know these as well, and nothing else here asks for them.
CREATE OR REPLACE FUNCTION jw_xid() RETURNS bigint
LANGUAGE sql VOLATILE AS $$ SELECT txid_current() $$;

CREATE OR REPLACE FUNCTION jw_horizon() RETURNS bigint
LANGUAGE sql STABLE AS $$ SELECT txid_snapshot_xmin(txid_current_snapshot()) $$;

CREATE OR REPLACE FUNCTION jw_now_ms() RETURNS bigint
LANGUAGE sql VOLATILE AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

CREATE OR REPLACE FUNCTION jw_is_owner() RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    SELECT pg_has_role(session_user, 'jw_owner', 'MEMBER')
$$;

CREATE OR REPLACE FUNCTION jw_account() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM account WHERE login = session_user AND active
$$;

CREATE OR REPLACE FUNCTION jw_person() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT person_id FROM account WHERE login = session_user AND active
$$;

-- The name that this person bears in the journal.
CREATE OR REPLACE FUNCTION jw_name() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT name FROM person WHERE id = jw_person()
$$;

CREATE OR REPLACE FUNCTION jw_may(permission text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- These three are no role's: whose act it is, is asked where it is done.
    SELECT permission IN ('undo', 'proposal', 'people.self') AND jw_account() IS NOT NULL OR EXISTS (
        SELECT FROM account a
        JOIN account_role ar ON ar.account_id = a.id
        JOIN role r ON r.id = ar.role_id
        WHERE a.login = session_user AND a.active
          AND (jsonb_exists(r.permissions::jsonb, permission) OR jsonb_exists(r.permissions::jsonb, '*'))
    )
$$;

-- All that this person may, asked once a statement where many are to be compared: 'x' is allowed when
-- jw_permissions() && ARRAY['x', '*'].
CREATE OR REPLACE FUNCTION jw_permissions() RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(p), '{}')
    FROM account a
    JOIN account_role ar ON ar.account_id = a.id
    JOIN role r ON r.id = ar.role_id,
    jsonb_array_elements_text(r.permissions::jsonb) p
    WHERE a.login = session_user AND a.active
$$;

CREATE OR REPLACE FUNCTION jw_refuse(code text, words text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- JW001 is how the program knows a refusal of the server from a fault of its own.
    RAISE EXCEPTION USING ERRCODE = 'JW001', MESSAGE = words, HINT = code;
END $$;

-- The server itself checks passwords; a hash in a table would only be something to steal.
CREATE OR REPLACE FUNCTION jw_blank_password() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.password_hash := '';
    RETURN NEW;
END $$;

-- What this transaction has written so far: one row a statement. Nobody but the triggers sees it.
CREATE UNLOGGED TABLE IF NOT EXISTS jw_written (
    xid bigint NOT NULL DEFAULT jw_xid(),
    -- I, U, D: rows of a table; J: entries of the journal; S: a setting, whose key is the relation; R: cases
    -- whose suspension is over.
    operation text NOT NULL,
    relation text NOT NULL,
    ids bigint[] NOT NULL
);
CREATE INDEX IF NOT EXISTS jw_written_xid ON jw_written (xid);
-- The order of the statements; and for each row what was done to it, as an entry of the journal tells it.
ALTER TABLE jw_written ADD COLUMN IF NOT EXISTS place bigint GENERATED ALWAYS AS IDENTITY;
-- Of one that came or went "wholes" has what was null besides: an entry may list it.
ALTER TABLE jw_written ADD COLUMN IF NOT EXISTS lines text[];
ALTER TABLE jw_written ADD COLUMN IF NOT EXISTS wholes text[];
-- They are read once and thrown away: to pack them takes longer than to write them.
ALTER TABLE jw_written ALTER COLUMN lines SET STORAGE EXTERNAL, ALTER COLUMN wholes SET STORAGE EXTERNAL;

-- What this person may not do; only taking back an act can still justify it.
CREATE UNLOGGED TABLE IF NOT EXISTS jw_doubtful (
    xid bigint NOT NULL DEFAULT jw_xid(),
    relation text NOT NULL,
    id bigint NOT NULL,
    code text NOT NULL,
    words text NOT NULL
);
CREATE INDEX IF NOT EXISTS jw_doubtful_xid ON jw_doubtful (xid);

-- Which contact a person may read, and until when; kept by the triggers alone.
CREATE TABLE IF NOT EXISTS jw_revealed (
    case_id bigint NOT NULL,
    account_id bigint NOT NULL,
    until_at bigint NOT NULL,
    -- The transaction that logged the reason: it must have been committed. 0 for who typed the contact in.
    xid bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS jw_revealed_case_id ON jw_revealed (case_id, account_id);

-- Filled by the set-up from the program: the permission that each command needs; those of which one is needed
-- for a change of a table, and of a setting.
CREATE TABLE IF NOT EXISTS jw_command (name text PRIMARY KEY, permission text NOT NULL);
CREATE TABLE IF NOT EXISTS jw_table (
    relation text NOT NULL, permission text NOT NULL, PRIMARY KEY (relation, permission)
);
CREATE TABLE IF NOT EXISTS jw_setting (
    key text NOT NULL, permission text NOT NULL, PRIMARY KEY (key, permission)
);

-- Asked before the statement: a change of the tables that give rights must not give the right to itself, nor
-- let anything be read in a transaction that is then rolled back.
CREATE OR REPLACE FUNCTION jw_check_right() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() AND NOT EXISTS (
        SELECT FROM jw_table WHERE relation = TG_TABLE_NAME AND jw_may(permission)
    ) THEN
        PERFORM jw_refuse('not_permitted', format('You may not change %s.', TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $$;

-- Noted in jw_written by a function for each table, made from its columns (db/server/values.py).

-- Where a person may act, as db/kernel/actor.Scope and db/people/commands have it: rows of a kind add up, kinds
-- narrow one another, null = not bound. Of areas any level of a case is asked; units come with those below
-- them; who handles cases and gives none out keeps to the own unit.
CREATE OR REPLACE FUNCTION jw_scope_areas() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT array_agg(reference_id) FROM account_scope WHERE account_id = jw_account() AND kind = 'area'
$$;

CREATE OR REPLACE FUNCTION jw_scope_units() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE given AS (
        SELECT reference_id AS id FROM account_scope WHERE account_id = jw_account() AND kind = 'unit'
    ), bound AS (
        SELECT id FROM given
        UNION ALL
        SELECT unit_id FROM person
        WHERE id = jw_person() AND NOT EXISTS (SELECT FROM given)
          AND jw_may('case.handle') AND NOT jw_may('case.dispatch')
    ), within AS (
        SELECT id FROM bound
        UNION
        SELECT u.id FROM unit u JOIN within w ON u.parent_id = w.id
    )
    SELECT array_agg(id) FROM within
$$;

CREATE OR REPLACE FUNCTION jw_scope_classes() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN EXISTS (
        SELECT FROM account_scope WHERE account_id = jw_account() AND kind = 'category'
    ) THEN coalesce((
        SELECT array_agg(c.id) FROM category c WHERE EXISTS (
            SELECT FROM account_scope s
            WHERE s.account_id = jw_account() AND s.kind = 'category'
              AND left(c.kind || ' ' || c.code, length(s.prefix)) = s.prefix)
    ), '{}') END
$$;

-- The cases that the units of a person's scope help with.
CREATE OR REPLACE FUNCTION jw_helped() RETURNS bigint[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(case_id), '{}') FROM case_unit
    WHERE role = 'helper' AND until IS NULL AND unit_id = ANY (jw_scope_units())
$$;

CREATE OR REPLACE FUNCTION jw_is_everywhere() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine text[];
BEGIN
    -- Who is bound by nothing is asked for with every statement.
    IF NOT EXISTS (SELECT FROM account_scope WHERE account_id = jw_account()) THEN
        mine := jw_permissions();
        IF NOT mine && ARRAY['case.handle', '*'] OR mine && ARRAY['case.dispatch', '*'] THEN
            RETURN true;
        END IF;
    END IF;
    RETURN jw_scope_areas() IS NULL AND jw_scope_units() IS NULL AND jw_scope_classes() IS NULL;
END $$;

-- Reading is bound by the scope only where the setting says so.
CREATE OR REPLACE FUNCTION jw_sees_all() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Step by step, for it is asked with every statement.
    IF NOT coalesce((SELECT value::boolean FROM setting WHERE key = 'scope.hides'), false) THEN
        RETURN true;
    END IF;
    RETURN jw_is_owner() OR jw_is_everywhere();
END $$;

-- Of these cases, those out of scope as they stand now.
CREATE OR REPLACE FUNCTION jw_beyond(wanted bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    areas constant bigint[] := jw_scope_areas();
    units constant bigint[] := jw_scope_units();
    classes constant bigint[] := jw_scope_classes();
    helped constant bigint[] := jw_helped();
BEGIN
    RETURN QUERY
    SELECT c.id FROM cases c
    WHERE c.id = ANY (wanted) AND NOT (
        (areas IS NULL OR ARRAY[c.district_id, c.community_id, c.patrol_id, c.cell_id] && areas)
        AND (units IS NULL OR coalesce(c.unit_id = ANY (units), false) OR c.id = ANY (helped))
        AND (classes IS NULL OR c.category_id = ANY (classes)));
END $$;

-- Cases are changed only within the scope, as they stood before.
CREATE OR REPLACE FUNCTION jw_check_reach() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    areas bigint[];
    units bigint[];
    classes bigint[];
    helped bigint[];
    asked bigint[];
BEGIN
    IF jw_is_owner() OR jw_is_everywhere() THEN
        RETURN NULL;
    END IF;
    areas := jw_scope_areas();
    units := jw_scope_units();
    classes := jw_scope_classes();
    helped := jw_helped();
    -- A second change in one transaction: the first was asked about where the case stood then.
    SELECT array_agg(i) INTO asked FROM jw_written w, unnest(w.ids) i
    WHERE w.xid = jw_xid() AND w.relation = 'cases';
    INSERT INTO jw_doubtful (relation, id, code, words)
    SELECT 'cases', was.id, 'out_of_scope', format('%s lies beyond your scope.', was.number)
    FROM was
    WHERE NOT (
        (areas IS NULL OR ARRAY[was.district_id, was.community_id, was.patrol_id, was.cell_id] && areas)
        AND (units IS NULL OR coalesce(was.unit_id = ANY (units), false) OR was.id = ANY (helped))
        AND (classes IS NULL OR was.category_id = ANY (classes)))
      AND (asked IS NULL OR was.id <> ALL (asked));
    RETURN NULL;
END $$;

-- The same for what hangs on a case.
CREATE OR REPLACE FUNCTION jw_check_reach_of() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    about bigint[];
BEGIN
    IF jw_is_owner() OR jw_is_everywhere() THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(case_id) INTO about FROM (
        SELECT DISTINCT case_id FROM changed
        EXCEPT
        SELECT i FROM jw_written w, unnest(w.ids) i WHERE w.xid = jw_xid() AND w.relation = 'cases'
    ) fresh;
    INSERT INTO jw_doubtful (relation, id, code, words)
    SELECT TG_TABLE_NAME, changed.id, 'out_of_scope', 'A case lies beyond your scope.'
    FROM changed WHERE changed.case_id IN (SELECT jw_beyond(about));
    RETURN NULL;
END $$;

-- Nobody comes to a case by making the own unit its helper: refused at once, for it would show the case too.
CREATE OR REPLACE FUNCTION jw_check_helper() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    units constant bigint[] := jw_scope_units();
BEGIN
    IF NOT jw_is_owner() AND EXISTS (
        SELECT FROM changed h JOIN cases c ON c.id = h.case_id
        WHERE h.role = 'helper' AND h.until IS NULL AND h.unit_id = ANY (units)
          AND c.unit_id <> ALL (units)
          AND NOT EXISTS (
              SELECT FROM case_unit o
              WHERE o.case_id = h.case_id AND o.role = 'helper' AND o.until IS NULL AND o.unit_id = ANY (units)
                AND o.id NOT IN (SELECT id FROM changed))
    ) THEN
        PERFORM jw_refuse('out_of_scope', 'Your own unit is not made a helper by yourself.');
    END IF;
    RETURN NULL;
END $$;

-- The units that a person may give cases to, as db/people/branches.targets has it; null = any.
CREATE OR REPLACE FUNCTION jw_targets() RETURNS bigint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    areas constant bigint[] := jw_scope_areas();
    units constant bigint[] := jw_scope_units();
    answering bigint[];
BEGIN
    IF areas IS NOT NULL THEN
        WITH RECURSIVE below AS (
            SELECT unnest(areas) AS id
            UNION
            SELECT a.id FROM area a JOIN below b ON a.parent_id = b.id
        ), above AS (
            SELECT id, parent_id FROM area WHERE id = ANY (areas)
            UNION
            SELECT a.id, a.parent_id FROM area a JOIN above o ON a.id = o.parent_id
        )
        SELECT array_agg(DISTINCT d.unit_id) INTO answering FROM duty d
        WHERE (d.valid_to IS NULL OR d.valid_to >= CURRENT_DATE)
          AND d.area_id IN (SELECT id FROM below UNION SELECT id FROM above);
    END IF;
    IF units IS NULL AND answering IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN (
        WITH RECURSIVE above AS (
            SELECT id, parent_id FROM unit WHERE id = ANY (units)
            UNION
            SELECT u.id, u.parent_id FROM unit u JOIN above o ON u.id = o.parent_id
        )
        SELECT array_agg(u.id) FROM unit u WHERE u.kind = 'centre' OR (
            (units IS NULL OR u.id IN (SELECT id FROM above))
            AND (answering IS NULL OR u.id = ANY (answering)))
    );
END $$;

-- A case goes only to a unit that the scope allows: in charge of it, or helping.
CREATE OR REPLACE FUNCTION jw_check_target() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    allowed bigint[];
BEGIN
    IF jw_is_owner() OR jw_is_everywhere() THEN
        RETURN NULL;
    END IF;
    allowed := jw_targets();
    IF allowed IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_TABLE_NAME = 'cases' THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        SELECT 'cases', c.id, 'out_of_scope', format('%s goes to a unit beyond your scope.', c.number)
        FROM changed c JOIN was w ON w.id = c.id
        WHERE c.unit_id IS DISTINCT FROM w.unit_id AND c.unit_id <> ALL (allowed);
    ELSE
        INSERT INTO jw_doubtful (relation, id, code, words)
        SELECT TG_TABLE_NAME, c.id, 'out_of_scope', 'A unit beyond your scope is given a case.'
        FROM changed c WHERE c.until IS NULL AND c.unit_id <> ALL (allowed);
    END IF;
    RETURN NULL;
END $$;

-- Whether the time for which a case was suspended is over: whoever notices first may resume it.
CREATE OR REPLACE FUNCTION jw_is_over(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM case_request q
        WHERE q.case_id = wanted AND q.kind = 'suspend' AND q.state = 'granted' AND q.until <= jw_now_ms())
$$;

CREATE OR REPLACE FUNCTION jw_check_moves() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    newest constant integer := (SELECT max(edition) FROM transition);
    mine constant text[] := jw_permissions();
    may_all constant boolean := '*' = ANY (mine);
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    -- Counted, not EXISTS: looking for the first of ten thousand that is never there would pair each with each.
    IF (
        SELECT count(*) FROM was LEFT JOIN changed USING (id)
        WHERE was.number IS DISTINCT FROM changed.number OR was.source IS DISTINCT FROM changed.source
           OR was.reported_at IS DISTINCT FROM changed.reported_at
    ) > 0 THEN
        PERFORM jw_refuse('number_fixed', 'Number, source and moment of a report never change.');
    END IF;
    INSERT INTO jw_doubtful (relation, id, code, words)
    SELECT 'cases', changed.id, 'wrong_state',
           format('No move of yours leads from “%s” to “%s”.', was.state, changed.state)
    FROM was JOIN changed USING (id)
    WHERE was.state <> changed.state AND NOT EXISTS (
        SELECT FROM transition t
        WHERE t.edition = newest AND t.from_state = was.state
          AND (t.to_state = changed.state
               OR t.to_state = 'previous' AND EXISTS (
                   SELECT FROM case_step s WHERE s.case_id = changed.id AND s.from_state = changed.state))
          AND (may_all OR t.permission = ANY (mine) OR t.verb = 'resume' AND jw_is_over(changed.id))
    );
    -- What time may do of itself in this transaction.
    INSERT INTO jw_written (operation, relation, ids)
    SELECT 'R', 'cases', array_agg(changed.id) FROM was JOIN changed USING (id)
    WHERE was.state = 'suspended' AND changed.state <> was.state AND jw_is_over(changed.id)
    HAVING count(*) > 0;
    -- Who only reports or carries out sets neither class nor unit nor time.
    IF NOT mine && ARRAY['case.dispatch', 'case.decide', 'case.check', 'case.register', 'case.accept',
                         'case.force', 'case.merge', 'import.run', '*'] THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        SELECT 'cases', changed.id, 'not_permitted',
               format('You may not change the class, the unit or the time of %s.', was.number)
        FROM was JOIN changed USING (id)
        WHERE (was.unit_id, was.category_id, was.condition_id, was.due_at, was.soon_at, was.limit_amount,
               was.limit_unit, was.extensions, was.exempt, was.priority)
            IS DISTINCT FROM (changed.unit_id, changed.category_id, changed.condition_id, changed.due_at,
               changed.soon_at, changed.limit_amount, changed.limit_unit, changed.extensions, changed.exempt,
               changed.priority);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_check_new_cases() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine constant text[] := jw_permissions();
BEGIN
    IF jw_is_owner() OR mine && ARRAY['import.run', '*'] THEN
        RETURN NULL;
    END IF;
    INSERT INTO jw_doubtful (relation, id, code, words)
    SELECT 'cases', changed.id, 'wrong_state', format('You may not begin a case as “%s”.', changed.state)
    FROM changed
    WHERE NOT EXISTS (
        SELECT FROM transition t
        WHERE t.edition = (SELECT max(edition) FROM transition)
          AND t.from_state = '' AND t.to_state = changed.state AND t.permission = ANY (mine)
    );
    RETURN NULL;
END $$;

-- What goes only when the act that added it is taken back.
CREATE OR REPLACE FUNCTION jw_check_removal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        SELECT TG_TABLE_NAME, changed.id, 'not_removed', format('What stands in %s is not removed.', TG_TABLE_NAME)
        FROM changed;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_check_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Cases that are taken in from elsewhere have steps of people who are no accounts here.
    IF jw_is_owner() OR jw_may('import.run') AND NOT EXISTS (SELECT FROM changed WHERE actor_id <> 0) THEN
        RETURN NULL;
    END IF;
    INSERT INTO jw_doubtful (relation, id, code, words)
    SELECT 'case_step', changed.id, 'another_name', 'A step can be taken only in one''s own name.'
    FROM changed
    WHERE actor_id IS DISTINCT FROM (SELECT jw_account()) OR actor_name IS DISTINCT FROM (SELECT jw_name());
    RETURN NULL;
END $$;

-- A step stands as it was taken; only the act that takes it may still add to it.
CREATE OR REPLACE FUNCTION jw_check_old_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        SELECT 'case_step', changed.id, 'not_removed', 'A step stands as it was taken.'
        FROM changed
        WHERE NOT EXISTS (
            SELECT FROM jw_written w
            WHERE w.xid = jw_xid() AND w.relation = 'case_step' AND w.operation = 'I' AND changed.id = ANY (w.ids));
    END IF;
    RETURN NULL;
END $$;

-- A claim is made in one's own name, and not over one that still holds but by who may take over.
CREATE OR REPLACE FUNCTION jw_check_claim() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() AND NOT (
        NEW.account_id = jw_account() AND NEW.name = jw_name()
        AND (TG_OP = 'INSERT' OR OLD.account_id = NEW.account_id OR OLD.expires_at <= jw_now_ms()
             OR jw_may('case.force'))
    ) THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        VALUES ('case_claim', NEW.id, 'another_name', 'Somebody else has claimed this case.');
    END IF;
    RETURN NEW;
END $$;

-- A proposal is made in one's own name and decided once: confirmed or refused by another, withdrawn by oneself.
CREATE OR REPLACE FUNCTION jw_check_proposal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    is_right boolean := jw_may((SELECT permission FROM jw_command WHERE name = NEW.command));
BEGIN
    IF TG_OP = 'INSERT' THEN
        is_right := is_right AND NEW.state = 'waiting' AND NEW.decided_by IS NULL
            AND NEW.proposed_by = jw_account() AND NEW.proposed_by_name = jw_name();
    ELSE
        is_right := is_right AND OLD.state = 'waiting' AND NEW.state IN ('confirmed', 'refused', 'withdrawn')
            AND NEW.decided_by = jw_account() AND NEW.decided_by_name = jw_name()
            AND (NEW.state = 'withdrawn') = (NEW.proposed_by = jw_account())
            AND (NEW.command, NEW.arguments, NEW.size, NEW.proposed_by, NEW.proposed_by_name, NEW.proposed_at)
              = (OLD.command, OLD.arguments, OLD.size, OLD.proposed_by, OLD.proposed_by_name, OLD.proposed_at);
    END IF;
    IF is_right IS NOT TRUE AND NOT jw_is_owner() THEN
        INSERT INTO jw_doubtful (relation, id, code, words)
        VALUES ('proposal', NEW.id, 'second_officer', 'One officer proposes, another decides.');
    END IF;
    RETURN NEW;
END $$;

-- A look at a collector's way bears the name of who looked.
CREATE OR REPLACE FUNCTION jw_check_viewer() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() AND (NEW.viewer_id IS DISTINCT FROM jw_account() OR NEW.viewer_name IS DISTINCT FROM jw_name()) THEN
        PERFORM jw_refuse('another_name', 'A look is recorded only in one''s own name.');
    END IF;
    RETURN NEW;
END $$;

-- The server's own settings are nobody's; the others are changed by who may, with an entry of a command that may.
CREATE OR REPLACE FUNCTION jw_note_setting() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        NEW := OLD;
    END IF;
    IF NOT jw_is_owner() THEN
        IF NOT EXISTS (SELECT FROM jw_setting WHERE key = NEW.key AND jw_may(permission)) THEN
            PERFORM jw_refuse('not_permitted', format('You may not change the setting %s.', NEW.key));
        END IF;
        INSERT INTO jw_written (operation, relation, ids) VALUES ('S', NEW.key, '{}');
    END IF;
    RETURN NEW;
END $$;

-- The seal of an entry: the same bytes as db/engine/journal.py makes.
CREATE OR REPLACE FUNCTION jw_seal(entry journal) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(entry.previous || convert_to(
        '[' || entry.seq || ',' || entry.at || ',' || entry.actor_id || ',' || to_json(entry.actor_name)::text
        || ',' || entry.station || ',' || to_json(entry.command::text)::text || ','
        || coalesce(entry.undoes::text, 'null')
        || coalesce(',' || entry.operation::text, '') || ']' || E'\n'
        || entry.arguments || E'\n' || entry.changes || E'\n' || coalesce(entry.touched, 'null') || E'\n',
        'UTF8'))
$$;

-- Whether an entry gives every value the one that it had before the act that it takes back.
CREATE OR REPLACE FUNCTION jw_is_inverse(taken_back text, entry text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    WITH was AS (
        SELECT t.key AS relation, r -> 0 AS id, c.key AS name, c.value -> 0 AS value
        FROM jsonb_each(taken_back::jsonb) t, jsonb_array_elements(t.value) r, jsonb_each(r -> 1) c
    ), now AS (
        SELECT t.key AS relation, r -> 0 AS id, c.key AS name, c.value -> 1 AS value
        FROM jsonb_each(entry::jsonb) t, jsonb_array_elements(t.value) r, jsonb_each(r -> 1) c
        WHERE c.key <> 'version'
    )
    SELECT count(*) = 0
    FROM now
    LEFT JOIN was USING (relation, id, name)
    LEFT JOIN was came ON came.relation = now.relation AND came.id = now.id AND came.name = 'id' AND came.value = 'null'
    WHERE was.value IS DISTINCT FROM now.value
      -- A row that goes lists every column; when it came, only those that were given.
      AND NOT (was.value IS NULL AND now.value = 'null' AND came.id IS NOT NULL)
$$;

CREATE OR REPLACE FUNCTION jw_stamp_entry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.received_at := jw_now_ms();
    RETURN NEW;
END $$;

-- What an entry tells, but for one proposal.
CREATE OR REPLACE FUNCTION jw_without(changes text, proposal_id bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN proposal_id IS NULL THEN changes ELSE jsonb_set(changes::jsonb, '{proposal}', coalesce((
        SELECT jsonb_agg(r) FROM jsonb_array_elements(changes::jsonb -> 'proposal') r
        WHERE (r ->> 0)::bigint <> proposal_id
    ), '[]'))::text END
$$;

-- Whether somebody may do what an entry did; of a confirmation, what was confirmed.
CREATE OR REPLACE FUNCTION jw_might_do(entry journal) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jw_may(c.permission) FROM jw_command c
    WHERE c.name = CASE WHEN entry.command <> 'proposal.confirm' THEN entry.command ELSE (
        SELECT p.command FROM proposal p WHERE p.id = (entry.arguments::jsonb ->> 'proposal_id')::bigint) END
$$;

-- Whether so many cases are more than one officer may move.
CREATE OR REPLACE FUNCTION jw_above_one(size integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT size > 1 AND coalesce((SELECT value::bigint FROM setting WHERE key = 'two_officers.above'), 0)
        BETWEEN 1 AND size - 1
$$;

-- All entries of a statement at once: a station that was away brings hundreds in one transaction.
CREATE OR REPLACE FUNCTION jw_check_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head journal_head%ROWTYPE;
    breach record;
    oldest bigint;
    name_of_mine constant text := jw_name();
    account_of_mine constant bigint := jw_account();
    mine constant text[] := jw_permissions() || ARRAY['undo', 'proposal', 'people.self'];
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    SELECT * INTO head FROM journal_head FOR UPDATE;
    IF EXISTS (
        SELECT FROM (
            SELECT seq, previous, row_number() OVER in_order AS place,
                   lag(hash, 1, head.hash) OVER in_order AS before
            FROM entered WINDOW in_order AS (ORDER BY seq)
        ) e
        WHERE e.seq <> head.seq + e.place OR e.previous <> e.before
    ) THEN
        PERFORM jw_refuse('unchained', 'The entry does not follow the last one of the journal.');
    END IF;
    IF EXISTS (SELECT FROM entered e WHERE e.hash IS DISTINCT FROM jw_seal(ROW(e.*)::journal)) THEN
        PERFORM jw_refuse('bad_seal', 'The seal of the entry is not right.');
    END IF;
    SELECT e.command INTO breach FROM entered e
    WHERE NOT EXISTS (SELECT FROM jw_command c WHERE c.name = e.command) LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('unknown_command', format('The server does not know the command %s.', breach.command));
    END IF;
    -- What time does of itself may be written down by whoever notices first, and about nothing else.
    IF EXISTS (
        SELECT FROM entered e
        WHERE CASE WHEN e.actor_id = 0 THEN e.command <> 'case.resume_due'
              ELSE e.actor_id IS DISTINCT FROM account_of_mine OR e.actor_name IS DISTINCT FROM name_of_mine END
    ) THEN
        PERFORM jw_refuse('another_name', 'An act can be recorded only in one''s own name.');
    END IF;
    SELECT c.name INTO breach FROM jw_command c
    WHERE c.name IN (SELECT e.command FROM entered e WHERE e.actor_id <> 0)
      AND NOT mine && ARRAY[c.permission, '*'] LIMIT 1;
    IF FOUND THEN
        PERFORM jw_refuse('not_permitted', format('%s may not do this: %s.', name_of_mine, breach.name));
    END IF;
    SELECT e.command INTO breach FROM entered e WHERE e.touched IS NULL LIMIT 1;
    IF FOUND AND NOT mine && ARRAY['import.run', '*'] THEN
        PERFORM jw_refuse('not_permitted', format('%s may not do this: %s.', name_of_mine, breach.command));
    END IF;
    SELECT coalesce((SELECT value::bigint FROM setting WHERE key = 'sync.oldest_days'), 14) INTO oldest;
    IF EXISTS (
        SELECT FROM entered e WHERE e.at > e.received_at + 5000 OR e.at < e.received_at - oldest * 86400000
    ) THEN
        PERFORM jw_refuse('bad_moment', 'The moment of the act lies in the future or too far back.');
    END IF;
    IF EXISTS (
        SELECT FROM entered e
        WHERE (e.undoes IS NOT NULL) <> (e.command = 'undo')
          AND (e.undoes IS NULL OR e.command <> 'proposal.confirm')
    ) THEN
        PERFORM jw_refuse('untrue', 'What takes back an act is called undo, and nothing else.');
    END IF;
    IF EXISTS (SELECT FROM entered e WHERE e.undoes IS NOT NULL) THEN
        -- A second officer who confirms an undo acts for whoever proposed it; the proposal itself is no part of it.
        SELECT CASE
            WHEN coalesce(p.proposed_by, e.actor_id) IS DISTINCT FROM u.actor_id AND NOT mine && ARRAY['undo.any', '*']
                OR e.command = 'proposal.confirm' AND p.id IS NULL THEN 'not_yours'
            WHEN e.touched IS NULL OR u.touched IS NULL OR NOT jw_is_inverse(u.changes, jw_without(e.changes, p.id))
                THEN 'untrue'
            WHEN p.id IS NULL AND jw_above_one(
                -- Where only what hangs on the cases goes back, the act says how many there are.
                jsonb_array_length(coalesce(e.touched::jsonb -> 'cases', u.touched::jsonb -> 'cases', '[]'))
                - (u.command = 'case.merge')::integer)
                THEN 'second_officer'
            END AS fault
        INTO breach FROM entered e
        LEFT JOIN journal u ON u.seq = e.undoes
        LEFT JOIN proposal p ON e.command = 'proposal.confirm' AND p.id = (e.arguments::jsonb ->> 'proposal_id')::bigint
            AND p.command = 'undo' AND (p.arguments::jsonb ->> 'seq')::bigint = e.undoes
            AND p.state = 'confirmed' AND p.decided_by = jw_account() AND p.proposed_by <> p.decided_by
            AND jw_might_do(u)
        WHERE e.undoes IS NOT NULL ORDER BY fault LIMIT 1;
        IF breach.fault = 'not_yours' THEN
            PERFORM jw_refuse('not_yours', 'Only the person who did it can undo this.');
        ELSIF breach.fault = 'untrue' THEN
            PERFORM jw_refuse('untrue', 'The entry does more than take back the act that it names.');
        ELSIF breach.fault = 'second_officer' THEN
            PERFORM jw_refuse('second_officer', 'A second officer has to confirm an undo of so many cases.');
        END IF;
    END IF;
    IF coalesce((SELECT value::bigint FROM setting WHERE key = 'two_officers.above'), 0) > 0 THEN
        PERFORM jw_demand_second_officer(e.command, e.touched) FROM entered e
        WHERE e.undoes IS NULL AND e.actor_id <> 0 AND e.touched IS NOT NULL;
    END IF;
    INSERT INTO jw_written (operation, relation, ids)
    SELECT 'J', 'journal', array_agg(seq) FROM entered HAVING count(*) > 0;
    RETURN NULL;
END $$;

-- More cases than one officer may move need a proposal of another, confirmed in the same transaction.
CREATE OR REPLACE FUNCTION jw_demand_second_officer(command text, touched text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    above bigint;
    about jsonb := coalesce(touched::jsonb -> 'cases', '[]');
BEGIN
    SELECT value::bigint INTO above FROM setting WHERE key = 'two_officers.above';
    -- The one case more is that which others are joined to.
    IF coalesce(above, 0) = 0
        OR jsonb_array_length(about) <= above + (command = 'case.merge')::integer THEN
        RETURN;
    END IF;
    IF command <> 'proposal.confirm' OR NOT EXISTS (
        SELECT FROM proposal p
        WHERE p.id = (touched::jsonb -> 'proposal' ->> 0)::bigint
          AND p.state = 'confirmed' AND p.decided_by = jw_account()
          AND (SELECT count(*) FROM (
                  SELECT e FROM jsonb_array_elements(about) e
                  EXCEPT SELECT i FROM jsonb_array_elements(p.arguments::jsonb -> 'case_ids') i
              ) more) <= 1
    ) THEN
        PERFORM jw_refuse('second_officer',
            format('A second officer has to confirm a change of %s cases.', jsonb_array_length(about)));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION jw_check_head() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- Entries that stand in the journal follow one another: it is enough that the new head is a later one.
    IF NOT jw_is_owner() AND (
        NEW.id <> OLD.id OR NEW.last_id < OLD.last_id
        -- An id far ahead (db/kernel/ids.py) would leave none for the others.
        OR NEW.last_id > OLD.last_id AND NEW.last_id >> 21 > jw_now_ms() - 1577836800000 + 86400000
        OR (NEW.seq, NEW.hash) IS DISTINCT FROM (OLD.seq, OLD.hash) AND NOT EXISTS (
            SELECT FROM journal WHERE seq = NEW.seq AND hash = NEW.hash AND seq > OLD.seq)
    ) THEN
        PERFORM jw_refuse('unchained', 'The head of the journal moves only with an entry.');
    END IF;
    RETURN NEW;
END $$;

-- What time does of itself: resume the cases whose suspension is over, and nothing else.
CREATE OR REPLACE FUNCTION jw_demand_due(touched jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    due bigint[] := (SELECT array_agg(i) FROM jw_written w, unnest(w.ids) i WHERE w.xid = jw_xid() AND w.operation = 'R');
    about bigint[];
    relation text;
BEGIN
    FOR relation IN SELECT jsonb_object_keys(touched) LOOP
        IF relation = 'cases' THEN
            SELECT array_agg(i::bigint) INTO about FROM jsonb_array_elements_text(touched -> 'cases') i;
        ELSIF relation IN ('case_step', 'case_timer', 'case_span', 'case_request') THEN
            EXECUTE format('SELECT array_agg(case_id) FROM %I WHERE to_jsonb(id) <@ $1', relation)
            INTO about USING touched -> relation;
        ELSE
            about := '{0}';
        END IF;
        IF NOT coalesce(about <@ due, about IS NULL) THEN
            PERFORM jw_refuse('wrong_state', 'The time for which a case was suspended is not over.');
        END IF;
    END LOOP;
END $$;

-- At the commit: what was written and what the journal tells must be the same rows, and whatever was doubtful
-- the taking back of an act, or what time does of itself. The head of the journal is held meanwhile, so the
-- common case is one comparison of two lists; only when they differ is it asked in what.
CREATE OR REPLACE FUNCTION jw_settle() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    entries bigint[];
    newest bigint;
    is_bulk boolean;
    is_of_time boolean;
    puts_settings boolean;
    done text[];
    told text[];
    breach record;
    mine constant bigint := jw_xid();
BEGIN
    -- Fired once for each statement that wrote; the first one settles for all.
    IF NOT EXISTS (SELECT FROM jw_written WHERE xid = mine) THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(DISTINCT i) FILTER (WHERE w.operation = 'J'),
           max(i) FILTER (WHERE w.operation = 'J'),
           coalesce(bool_or(w.operation = 'S'), false),
           array_agg(DISTINCT w.relation || ' ' || i) FILTER (WHERE w.operation IN ('I', 'U', 'D'))
    INTO entries, newest, puts_settings, done
    FROM jw_written w LEFT JOIN unnest(w.ids) i ON true WHERE w.xid = mine;
    IF entries IS NOT NULL AND NOT EXISTS (SELECT FROM journal_head WHERE seq = newest) THEN
        PERFORM jw_refuse('unchained', 'The head of the journal was not moved.');
    END IF;
    SELECT coalesce(bool_or(j.touched IS NULL), false), coalesce(bool_or(j.actor_id = 0), false),
           (SELECT array_agg(DISTINCT t.key || ' ' || e)
            FROM journal k, jsonb_each(k.touched::jsonb) t, jsonb_array_elements_text(t.value) e
            WHERE k.seq = ANY (entries))
    INTO is_bulk, is_of_time, told
    FROM journal j WHERE j.seq = ANY (entries);
    IF is_bulk OR done IS DISTINCT FROM told THEN
        PERFORM jw_demand_told(mine, entries);
    END IF;
    IF done IS NOT NULL THEN
        PERFORM jw_demand_true(mine, entries, is_bulk);
    END IF;
    IF is_of_time THEN
        PERFORM jw_demand_due(touched::jsonb) FROM journal WHERE seq = ANY (entries) AND actor_id = 0;
    END IF;
    IF puts_settings THEN
        SELECT w.relation INTO breach FROM jw_written w
        WHERE w.xid = mine AND w.operation = 'S' AND NOT EXISTS (
            SELECT FROM jw_setting s
            JOIN jw_command c ON c.permission = s.permission
            JOIN journal j ON j.command = c.name
            WHERE s.key = w.relation AND j.seq = ANY (entries))
        LIMIT 1;
        IF FOUND THEN
            PERFORM jw_refuse('unjournaled', format('No command that may has changed the setting %s.', breach.relation));
        END IF;
    END IF;
    IF EXISTS (SELECT FROM jw_doubtful WHERE xid = mine) THEN
        SELECT d.code, d.words INTO breach FROM (
            SELECT relation, id FROM jw_doubtful WHERE xid = mine
            EXCEPT
            SELECT t.key, e::bigint
            FROM journal j, jsonb_each(j.touched::jsonb) t, jsonb_array_elements_text(t.value) e
            WHERE j.seq = ANY (entries) AND (j.undoes IS NOT NULL OR j.actor_id = 0)
              -- The proposal by which an undo is confirmed is no part of what goes back.
              AND (j.command <> 'proposal.confirm' OR t.key <> 'proposal'
                   OR e::bigint IS DISTINCT FROM (j.arguments::jsonb ->> 'proposal_id')::bigint)
        ) open JOIN jw_doubtful d USING (relation, id)
        WHERE d.xid = mine
        ORDER BY d.relation = 'cases' DESC
        LIMIT 1;
        IF FOUND THEN
            PERFORM jw_refuse(breach.code, breach.words);
        END IF;
        DELETE FROM jw_doubtful WHERE xid = mine;
    END IF;
    DELETE FROM jw_written WHERE xid = mine;
    RETURN NULL;
END $$;

-- Which rows a transaction wrote without telling, or told of without writing; refused with one of them.
CREATE OR REPLACE FUNCTION jw_demand_told(mine bigint, entries bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    breach record;
BEGIN
    WITH written AS (
        SELECT DISTINCT w.relation, id, w.operation
        FROM jw_written w, unnest(w.ids) id
        WHERE w.xid = mine AND w.operation IN ('I', 'U', 'D')
          -- A bulk load tells how many rows it added and their digest, not which.
          AND NOT (w.operation = 'I' AND EXISTS (
              SELECT FROM journal j WHERE j.seq = ANY (entries) AND j.touched IS NULL))
    ), done AS (
        -- What came and went in the same transaction never was.
        SELECT relation, id FROM written GROUP BY relation, id
        HAVING NOT (bool_or(operation = 'I') AND bool_or(operation = 'D'))
    ), told AS (
        SELECT DISTINCT t.key AS relation, e::bigint AS id
        FROM journal j, jsonb_each(j.touched::jsonb) t, jsonb_array_elements_text(t.value) e
        WHERE j.seq = ANY (entries) AND j.touched IS NOT NULL
    )
    SELECT * INTO breach FROM (
        (SELECT 'untold' AS fault, * FROM done EXCEPT SELECT 'untold', * FROM told)
        UNION ALL
        (SELECT 'undone', * FROM told
         EXCEPT
         SELECT 'undone', w.relation, i FROM jw_written w, unnest(w.ids) i
         WHERE w.xid = mine AND w.operation IN ('I', 'U', 'D'))
    ) faults
    LIMIT 1;
    IF FOUND AND breach.fault = 'untold' THEN
        PERFORM jw_refuse('unjournaled', format('%s was changed without an entry in the journal.', breach.relation));
    ELSIF FOUND AND breach.fault = 'undone' THEN
        PERFORM jw_refuse('untrue', format('The journal tells of a change of %s that was not made.', breach.relation));
    END IF;
END $$;

-- A row after a change, or before it (side 1, 0), as {column: value} without what is null.
CREATE OR REPLACE FUNCTION jw_turned(plain jsonb, change jsonb, side integer) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_object_agg(c.key, c.value), '{}') FROM jsonb_each(plain || (
        SELECT coalesce(jsonb_object_agg(t.key, t.value -> side), '{}') FROM jsonb_each(change) t
    )) c WHERE c.value <> 'null'
$$;

-- The first column in which two rows differ. A fraction may be written in more than one way.
CREATE OR REPLACE FUNCTION jw_differing(one jsonb, other jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT key FROM jsonb_each(one) a FULL JOIN jsonb_each(other) b USING (key)
    WHERE a.value IS DISTINCT FROM b.value AND NOT CASE
        WHEN jsonb_typeof(a.value) = 'number' AND jsonb_typeof(b.value) = 'number' AND a.value::numeric % 1 <> 0
        THEN a.value::float8 = b.value::float8 ELSE false END
    ORDER BY key LIMIT 1
$$;

-- Whether a line of an entry tells what was done to a row. Of one that came or went it may list also what was
-- null; of what the server does not keep (a password's hash) it may tell anything.
CREATE OR REPLACE FUNCTION jw_tells(line text, done text, operation text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    told jsonb := line::jsonb;
    really jsonb;
BEGIN
    IF jsonb_array_length(told) <> 2 THEN
        RETURN false;
    END IF;
    told := (told -> 1) - 'password_hash';
    really := done::jsonb -> 1;
    IF told = really THEN
        RETURN true;
    END IF;
    RETURN operation <> 'U' AND told || really = told AND NOT EXISTS (
        SELECT FROM jsonb_each(told) c WHERE NOT jsonb_exists(really, c.key) AND c.value <> '[null, null]');
END $$;

-- The values: every row came to be what the entries tell of it, from what it was. Mostly both are the same
-- texts, with what was null or without; what is left over is looked at row by row.
CREATE OR REPLACE FUNCTION jw_demand_true(mine bigint, entries bigint[], is_bulk boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    breach record;
BEGIN
    FOR breach IN
        SELECT coalesce(n.relation, t.relation) AS relation, coalesce(n.id, t.id) AS id,
               coalesce(n.lines, '{}') AS lines, coalesce(t.lines, '{}') AS said
        FROM (
            SELECT w.relation, r.id, array_agg(r.line ORDER BY w.place) AS lines,
                   array_agg(coalesce(r.whole, r.line) ORDER BY w.place) AS wholes,
                   array_agg(w.operation ORDER BY w.place) AS operations
            FROM jw_written w, unnest(w.ids, w.lines, w.wholes) r (id, line, whole)
            WHERE w.xid = mine AND w.operation IN ('I', 'U', 'D')
            GROUP BY w.relation, r.id
        ) n
        FULL JOIN (
            SELECT t.key AS relation, (e ->> 0)::bigint AS id, array_agg(e::text ORDER BY j.seq) AS lines
            FROM journal j, json_each(j.changes::json) t,
                json_array_elements(CASE json_typeof(t.value) WHEN 'array' THEN t.value ELSE '[]' END) e
            WHERE j.seq = ANY (entries)
            GROUP BY 1, 2
        ) t ON t.relation = n.relation AND t.id = n.id
        WHERE n.lines IS DISTINCT FROM t.lines AND n.wholes IS DISTINCT FROM t.lines
          -- A bulk load tells how many rows it added and their digest, not what is in them.
          AND NOT (is_bulk AND t.lines IS NULL AND n.operations = '{I}')
          AND NOT (cardinality(n.lines) = cardinality(t.lines) AND NOT EXISTS (
              SELECT FROM unnest(t.lines, n.lines, n.operations) one (said, line, operation)
              WHERE NOT coalesce(jw_tells(said, line, operation), false)))
    LOOP
        PERFORM jw_demand_true_of(breach.relation, breach.id, breach.lines, breach.said);
    END LOOP;
    IF is_bulk THEN
        SELECT relation INTO breach FROM (
            SELECT w.relation, cardinality(w.ids) AS size FROM jw_written w WHERE w.xid = mine AND w.operation = 'I'
            UNION ALL
            SELECT t.key, -1
            FROM journal j, json_each(j.changes::json) t,
                json_array_elements(CASE json_typeof(t.value) WHEN 'array' THEN t.value ELSE '[]' END) e
            WHERE j.seq = ANY (entries) AND e #>> '{1,id,0}' IS NULL AND e #>> '{1,id,1}' IS NOT NULL
            UNION ALL
            SELECT rtrim(t.key, '*'), -(t.value ->> 'rows')::integer FROM journal j, json_each(j.changes::json) t
            WHERE j.seq = ANY (entries) AND j.touched IS NULL AND right(t.key, 1) = '*'
        ) counted GROUP BY relation HAVING sum(size) <> 0 LIMIT 1;
        IF FOUND THEN
            PERFORM jw_refuse('untrue', format('The journal tells another number of rows of %s than came.', breach.relation));
        END IF;
    END IF;
    IF cardinality(entries) > 1 THEN
        SELECT relation INTO breach FROM (
            (SELECT j.seq, t.key AS relation, (e ->> 0)::bigint AS id
             FROM journal j, json_each(j.changes::json) t,
                json_array_elements(CASE json_typeof(t.value) WHEN 'array' THEN t.value ELSE '[]' END) e
             WHERE j.seq = ANY (entries) AND j.touched IS NOT NULL)
            EXCEPT
            (SELECT j.seq, t.key, e::bigint
             FROM journal j, jsonb_each(j.touched::jsonb) t, jsonb_array_elements_text(t.value) e
             WHERE j.seq = ANY (entries))
        ) others LIMIT 1;
        IF FOUND THEN
            PERFORM jw_refuse('untrue', format('An entry tells of a row of %s that it does not name.', breach.relation));
        END IF;
    END IF;
EXCEPTION WHEN data_exception THEN
    PERFORM jw_refuse('untrue', 'An entry is not written as the journal keeps it.');
END $$;

-- The same of one row: the entries, one after the other, lead over what it really was in between, from the
-- first to the last.
CREATE OR REPLACE FUNCTION jw_demand_true_of(about text, wanted bigint, lines text[], said text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    line text;
    change jsonb;
    really jsonb;
    told jsonb;
    stood jsonb[] := '{}';
    place integer := 1;
BEGIN
    IF cardinality(lines) = 0 THEN
        PERFORM jw_refuse('untrue', format('The journal tells of a change of %s that was not made.', about));
    END IF;
    -- Backwards from how it stands now.
    EXECUTE format('SELECT jw_plain(t) FROM %I t WHERE id = $1', about) INTO really USING wanted;
    really := coalesce(really, '{}');
    FOR nth IN REVERSE cardinality(lines) .. 1 LOOP
        stood := array_prepend(really, stood);
        really := jw_turned(really, lines[nth]::jsonb -> 1, 0);
    END LOOP;
    stood := array_prepend(really, stood);
    told := really;
    FOREACH line IN ARRAY said LOOP
        change := (line::jsonb -> 1) - 'password_hash';
        IF jsonb_array_length(line::jsonb) <> 2
            OR EXISTS (SELECT FROM jsonb_each(change) c WHERE jsonb_array_length(c.value) <> 2) THEN
            PERFORM jw_refuse('untrue', 'An entry is not written as the journal keeps it.');
        ELSIF jw_differing(told, jw_turned(told, change, 0)) IS NOT NULL THEN
            PERFORM jw_refuse('untrue', format('The journal tells of another %s in %s than stood there before.',
                jw_differing(told, jw_turned(told, change, 0)), about));
        END IF;
        told := jw_turned(told, change, 1);
        WHILE place < cardinality(stood) AND jw_differing(told, stood[place]) IS NOT NULL LOOP
            place := place + 1;
        END LOOP;
        EXIT WHEN jw_differing(told, stood[place]) IS NOT NULL;
    END LOOP;
    IF jw_differing(told, stood[cardinality(stood)]) IS NOT NULL THEN
        PERFORM jw_refuse('untrue', format('The journal tells of another %s in %s than was written.',
            jw_differing(told, stood[cardinality(stood)]), about));
    END IF;
END $$;

-- What tells the settings from others, but for those that everybody has for himself.
CREATE OR REPLACE FUNCTION jw_settings_mark(apart text[]) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT md5(coalesce(string_agg(key || ' ' || value, ' ' ORDER BY key), ''))
    FROM setting WHERE NOT secret AND key <> ALL (apart)
$$;

-- The lock that acts of stations share while they go on as they were computed, and that whoever decides anew
-- has for himself (db/engine/journal.py: take_head). So nothing that acts are decided by changes between the
-- question below and their commit, and the head of the journal can be taken last.
CREATE OR REPLACE FUNCTION jw_demand_standing(
    operations bigint[], since bigint, station integer, rules text[], wanted jsonb, apart text[], mark text,
    OUT horizon bigint
)
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    relation text;
    rows_of jsonb;
    asked bigint[];
    here integer;
BEGIN
    -- Small statements over and over: to plan one takes longer than to run it.
    PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
    -- A plan that was made while a table was empty would go on reading it whole, until it is analyzed.
    PERFORM set_config('enable_seqscan', 'off', true);
    PERFORM pg_advisory_xact_lock_shared(19033);
    -- Before the question: whatever is below it the question sees.
    horizon := jw_horizon();
    -- A table after those that it points to, rows by number: two stations that wait for one another never meet.
    FOR relation, rows_of IN SELECT value ->> 0, value -> 1 FROM jsonb_array_elements(wanted) LOOP
        asked := ARRAY(SELECT k::bigint FROM jsonb_object_keys(rows_of) k);
        IF relation = 'cases' THEN
            SELECT count(*) INTO here FROM (
                SELECT c.id, c.version FROM cases c WHERE c.id = ANY (asked) ORDER BY c.id FOR NO KEY UPDATE
            ) t WHERE t.version = (rows_of ->> t.id::text)::integer;
        ELSE
            EXECUTE format(
                'SELECT count(*) FROM (SELECT id, version FROM %I WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE) t'
                ' WHERE version = ($2 ->> id::text)::integer', relation)
            INTO here USING asked, rows_of;
        END IF;
        IF here <> cardinality(asked) THEN
            RAISE EXCEPTION USING ERRCODE = 'JW002', MESSAGE = 'Rows of ' || relation || ' have moved on.';
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM journal j WHERE j.operation = ANY (operations)) THEN
        RAISE EXCEPTION USING ERRCODE = 'JW002', MESSAGE = 'An act is here already.';
    END IF;
    IF EXISTS (
        SELECT FROM news n
        WHERE n.xid >= since AND coalesce((n.operation >> 11) & 1023, -1) <> station
          AND (n.anew IS NOT NULL OR jsonb_exists_any(n.touched::jsonb, rules))
    ) THEN
        RAISE EXCEPTION USING ERRCODE = 'JW002', MESSAGE = 'What acts are decided by is newer.';
    END IF;
    IF jw_settings_mark(apart) <> mark THEN
        RAISE EXCEPTION USING ERRCODE = 'JW002', MESSAGE = 'The settings are others.';
    END IF;
END $$;

-- Append entries and move the head in one go, so that it is held for nothing else. Whoever calls could do the
-- same by hand: the triggers judge what comes of it.
CREATE OR REPLACE FUNCTION jw_enter(
    moments bigint[], actors bigint[], names text[], stations integer[], commands text[], arguments text[],
    changes text[], touched text[], undone bigint[], operations bigint[], newest_id bigint
) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    head journal_head%ROWTYPE;
    entry journal%ROWTYPE;
    entries journal[] := '{}';
BEGIN
    SELECT * INTO head FROM journal_head FOR UPDATE;
    entry.hash := head.hash;
    FOR place IN 1 .. cardinality(moments) LOOP
        entry.seq := head.seq + place;
        entry.at := moments[place];
        entry.actor_id := actors[place];
        entry.actor_name := names[place];
        entry.station := stations[place];
        entry.command := commands[place];
        entry.arguments := arguments[place];
        entry.changes := changes[place];
        entry.touched := touched[place];
        entry.undoes := undone[place];
        entry.operation := operations[place];
        entry.previous := entry.hash;
        entry.hash := jw_seal(entry);
        entries := array_append(entries, entry);
    END LOOP;
    INSERT INTO journal SELECT * FROM unnest(entries);
    UPDATE journal_head SET seq = entry.seq, hash = entry.hash, last_id = greatest(last_id, newest_id);
    RETURN entry.seq;
END $$;

-- A citizen's contact. Who looks says why, in a transaction that is committed; then it can be read for five
-- minutes. Who typed it in can take it back for a day.
CREATE OR REPLACE FUNCTION jw_note_look() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF jw_is_owner() THEN
        RETURN NEW;
    END IF;
    IF NEW.viewer_id IS DISTINCT FROM jw_account() OR NEW.viewer_name IS DISTINCT FROM jw_name() THEN
        PERFORM jw_refuse('another_name', 'A look is recorded only in one''s own name.');
    ELSIF length(btrim(NEW.reason)) < 2 OR NOT jw_may('contact.view') THEN
        PERFORM jw_refuse('not_permitted', 'A contact is shown only to who may see it, and with a reason.');
    END IF;
    DELETE FROM jw_revealed WHERE until_at < jw_now_ms();
    INSERT INTO jw_revealed (case_id, account_id, until_at, xid)
    VALUES (NEW.case_id, jw_account(), jw_now_ms() + 300000, jw_xid());
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION jw_note_contact() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF jw_is_owner() THEN
        RETURN NULL;
    END IF;
    IF EXISTS (
        SELECT case_id FROM changed
        EXCEPT
        SELECT i FROM jw_written w, unnest(w.ids) i
        WHERE w.xid = jw_xid() AND w.relation = 'cases' AND w.operation = 'I'
    ) THEN
        PERFORM jw_refuse('not_permitted', 'A contact is taken down together with its case.');
    END IF;
    INSERT INTO jw_revealed (case_id, account_id, until_at, xid)
    SELECT case_id, jw_account(), jw_now_ms() + 86400000, 0 FROM changed;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_reveals(wanted bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jw_is_owner() OR EXISTS (
        SELECT FROM jw_revealed r
        WHERE r.case_id = wanted AND r.account_id = jw_account() AND r.until_at > jw_now_ms()
          -- A reason that can still be rolled back is none.
          AND r.xid <> jw_xid())
$$;

-- The contact as everybody at the desk may see it: 张*, 138****1234.
CREATE OR REPLACE FUNCTION jw_masked(wanted bigint) RETURNS TABLE (name text, phone text, wants_answer boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT CASE WHEN r.name = '' THEN '' ELSE left(r.name, 1) || repeat('*', greatest(length(r.name) - 1, 1)) END,
           CASE WHEN length(r.phone) < 8 THEN repeat('*', length(r.phone))
                ELSE left(r.phone, 3) || repeat('*', length(r.phone) - 7) || right(r.phone, 4) END,
           r.wants_answer
    FROM reporter r WHERE r.case_id = wanted AND (jw_may('contact.masked') OR jw_may('contact.view'))
$$;

-- The cases of a telephone number, for who may see contacts: ids, never the contact itself.
CREATE OR REPLACE FUNCTION jw_cases_of_phone(wanted text) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT case_id FROM reporter WHERE phone = wanted AND jw_may('contact.view')
$$;

-- The keyed digest under which a private value enters the journal; the key itself never leaves the server.
-- Asked by the triggers alone.
CREATE OR REPLACE FUNCTION jw_keyed(value text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    key bytea;
    inner_pad bytea;
    outer_pad bytea;
BEGIN
    IF value = '' THEN
        RETURN value;
    END IF;
    key := convert_to((SELECT s.value FROM setting s WHERE s.key = 'journal.key'), 'UTF8');
    -- HMAC-SHA-256 (RFC 2104), so that no extension is needed.
    IF length(key) > 64 THEN
        key := sha256(key);
    END IF;
    -- Eight bytes at once: 0x36 and 0x5c, each repeated.
    SELECT string_agg(int8send(part # 3906369333256140342), '' ORDER BY nth),
           string_agg(int8send(part # 6655295901103053916), '' ORDER BY nth)
    INTO inner_pad, outer_pad
    FROM (
        SELECT n AS nth, ('x' || substr(rpad(encode(key, 'hex'), 128, '0'), 16 * n + 1, 16))::bit(64)::bigint AS part
        FROM generate_series(0, 7) n
    ) eight;
    RETURN '#' || left(encode(sha256(outer_pad || sha256(inner_pad || convert_to(value, 'UTF8'))), 'hex'), 32);
END $$;

CREATE OR REPLACE FUNCTION jw_digest(value text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT (jw_is_owner() OR jw_may('case.report') OR jw_may('import.run')) THEN
        PERFORM jw_refuse('not_permitted', 'You take down no contacts.');
    END IF;
    RETURN jw_keyed(value);
END $$;

-- News: one row a commit. Its cursor is (xid, id), read below the oldest transaction that is still open, so
-- that nothing is skipped which commits late. The doorbell carries nothing.
CREATE TABLE IF NOT EXISTS news (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid bigint NOT NULL DEFAULT jw_xid(),
    at bigint NOT NULL DEFAULT jw_now_ms(),
    seq bigint,
    operation bigint,
    -- {table: [id, …]} as in the journal; for a bulk load null, and the tables that it filled.
    touched text,
    anew text[],
    -- A table of telemetry.
    relation text
);
CREATE INDEX IF NOT EXISTS news_xid ON news (xid, id);
CREATE INDEX IF NOT EXISTS news_measured ON news (at) WHERE relation IS NOT NULL;

CREATE OR REPLACE FUNCTION jw_ring_entries() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO news (seq, operation, touched, anew)
    SELECT e.seq, e.operation, e.touched, CASE WHEN e.touched IS NULL THEN (
        SELECT array_agg(rtrim(k, '*')) FROM jsonb_object_keys(e.changes::jsonb) k) END
    FROM entered e ORDER BY e.seq;
    PERFORM pg_notify('jingwei', '');
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION jw_ring_measured() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO news (relation) VALUES (TG_TABLE_NAME);
    PERFORM pg_notify('jingwei', '');
    RETURN NULL;
END $$;

-- The stations that share this server: their number in ids and case numbers, and how they stand.
CREATE TABLE IF NOT EXISTS station (
    number integer PRIMARY KEY,
    name text NOT NULL,
    token text NOT NULL UNIQUE,
    program text NOT NULL DEFAULT '',
    login text NOT NULL DEFAULT '',
    waiting integer NOT NULL DEFAULT 0,
    skew_ms bigint NOT NULL DEFAULT 0,
    behind_ms bigint NOT NULL DEFAULT 0,
    seen_at bigint NOT NULL
);

-- Photos by the digest of their bytes, in parts, so that a cut loses only one.
CREATE TABLE IF NOT EXISTS blob (
    sha256 text NOT NULL,
    part integer NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (sha256, part)
);

-- The seal of an entry, also of one that its reader does not see: by it a station knows a restored server.
CREATE OR REPLACE FUNCTION jw_seal_of(wanted bigint) RETURNS bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT hash FROM journal WHERE seq = wanted
$$;

-- A station tells how it stands when somebody signs in, and again and again; under which name it cannot choose.
-- The house-keeping of the server hangs on it, so that it needs no timer.
CREATE OR REPLACE FUNCTION jw_check_station() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT jw_is_owner() THEN
        NEW.seen_at := jw_now_ms();
        NEW.login := coalesce(jw_name(), '');
        PERFORM jw_keep_house();
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION jw_keep_house() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- One at a time; the others have nothing to wait for.
    IF pg_try_advisory_xact_lock(19032) THEN
        -- Of telemetry only the newest is ever asked for.
        DELETE FROM news WHERE relation IS NOT NULL AND at < jw_now_ms() - 86400000;
        -- Windows that were closed yesterday. Asked first: a deletion rings the bell, also one of nothing.
        IF EXISTS (SELECT FROM presence WHERE at < jw_now_ms() - 86400000) THEN
            DELETE FROM presence WHERE at < jw_now_ms() - 86400000;
        END IF;
        IF jw_months_ahead() < 12 THEN
            SET LOCAL lock_timeout = '2s';
            PERFORM jw_make_months(24);
        END IF;
    END IF;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody is busy with a table; there are months left to try again.
    RETURN;
END $$;

-- The smallest id that can be made at a moment (db/kernel/ids.py: milliseconds since 2020, shifted by 21).
CREATE OR REPLACE FUNCTION jw_id_at(moment timestamp) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT ((extract(epoch FROM moment) * 1000)::bigint - 1577836800000) << 21 $$;

-- Where a month begins in the key of a table.
CREATE OR REPLACE FUNCTION jw_bound(parent text, moment timestamp) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = public, pg_temp AS $$
    SELECT CASE jw_partition_key(parent) WHEN 'id' THEN jw_id_at(moment)
           ELSE (extract(epoch FROM moment) * 1000)::bigint END
$$;

-- Makes the partitions of the months behind, of this one and those ahead that are not there yet; how many.
CREATE OR REPLACE FUNCTION jw_make_months_of(parents text[], behind integer, ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    parent text;
    part text;
    opens timestamp;
    closes timestamp;
    rests boolean;
    made integer := 0;
BEGIN
    FOREACH parent IN ARRAY parents LOOP
        FOR month IN -behind .. ahead - 1 LOOP
            opens := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month);
            closes := opens + interval '1 month';
            part := parent || to_char(opens, '_YYYY_MM');
            IF to_regclass(part) IS NULL THEN
                -- Rows of that month that lie in the rest stay there.
                EXECUTE format('SELECT EXISTS (SELECT FROM %1$I WHERE %2$I >= %3$s AND %2$I < %4$s)',
                    parent || '_rest', jw_partition_key(parent), jw_bound(parent, opens), jw_bound(parent, closes))
                INTO rests;
                IF NOT rests THEN
                    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                        part, parent, jw_bound(parent, opens), jw_bound(parent, closes));
                    made := made + 1;
                END IF;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

CREATE OR REPLACE FUNCTION jw_make_months(ahead integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT jw_make_months_of(jw_partitioned(), 0, ahead)
$$;

-- For how many months, this one included, all partitions are there.
CREATE OR REPLACE FUNCTION jw_months_ahead() RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(min(month), 36) FROM generate_series(0, 35) month, unnest(jw_partitioned()) parent
    WHERE to_regclass(parent || to_char(
        date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => month), '_YYYY_MM')) IS NULL
$$;

-- Who tends the server (jingwei server tend), when last, and what went wrong; and from which transaction on the
-- news are still there: a station that was away longer takes everything anew.
CREATE TABLE IF NOT EXISTS tending (
    id integer PRIMARY KEY CHECK (id = 1),
    at bigint,
    host text NOT NULL DEFAULT '',
    program text NOT NULL DEFAULT '',
    trouble text NOT NULL DEFAULT '',
    news_from bigint NOT NULL DEFAULT 0,
    -- When “jingwei backup” made its last copy.
    backup_at bigint
);
INSERT INTO tending (id) VALUES (1) ON CONFLICT DO NOTHING;

-- Which of these acts the server has taken, and the rows that they touched: also of entries that the one who asks
-- does not see, for an act is asked after by its own station.
CREATE OR REPLACE FUNCTION jw_taken(wanted bigint[]) RETURNS TABLE (operation bigint, touched text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT j.operation, j.touched FROM journal j WHERE j.operation = ANY (wanted) AND j.touched IS NOT NULL
$$;

-- Forgets the news that are older than so many days, in steps along their own order; how many they were.
CREATE OR REPLACE FUNCTION jw_prune_news(days integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before constant bigint := jw_now_ms() - days::bigint * 86400000;
    until bigint;
    step bigint;
    gone bigint := 0;
BEGIN
    LOOP
        SELECT max(xid) INTO until
        FROM (SELECT xid, at FROM news ORDER BY xid, id LIMIT 10000) oldest WHERE at < before;
        EXIT WHEN until IS NULL;
        DELETE FROM news WHERE xid <= until;
        GET DIAGNOSTICS step = ROW_COUNT;
        gone := gone + step;
        UPDATE tending SET news_from = greatest(news_from, until + 1);
    END LOOP;
    RETURN gone;
END $$;

-- Removes the months of tracks in which none is left; how many.
CREATE OR REPLACE FUNCTION jw_drop_months() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    part text;
    is_empty boolean;
    dropped integer := 0;
BEGIN
    SET LOCAL lock_timeout = '2s';
    FOR part IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'track'::regclass AND c.relname ~ '^track_[0-9]{4}_[0-9]{2}$'
          AND c.relname < to_char(now() AT TIME ZONE 'UTC' - interval '1 month', '"track_"YYYY_MM')
    LOOP
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', part) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('DROP TABLE %I', part);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody is busy with it; the next turn tries again.
    RETURN 0;
END $$;
