-- Invoices, as JSON of the domain's states.

-- With the organization's name and the payments made for it; the tenant has been entered.
CREATE OR REPLACE FUNCTION invoice_record(invoice invoices) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'invoice', to_jsonb(invoice),
        'seller', (SELECT o.name FROM organizations o WHERE o.organization_id = invoice.organization_id),
        'payments', (
            SELECT coalesce(jsonb_agg(p.id ORDER BY p.id), '[]') FROM payments p
            WHERE p.organization_id = invoice.organization_id AND p.livemode = invoice.livemode
                AND p.invoice_id = invoice.id))
$$;

CREATE OR REPLACE FUNCTION invoice(org text, live boolean, invoice_id text) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN (SELECT invoice_record(t) FROM invoices t
            WHERE t.organization_id = org AND t.livemode = live AND t.id = invoice_id);
END $$;

-- The last number given, and at most `size` of those that wait for one, in the order of ids; and the one named,
-- if it waits.
CREATE OR REPLACE FUNCTION invoice_numbering(org text, live boolean, invoice_id text, size int) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM enter(org, live);
    RETURN jsonb_build_object(
        'last', coalesce(
            (SELECT max(t.number) FROM invoices t WHERE t.organization_id = org AND t.livemode = live), 0),
        'waiting', (
            SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY w.id), '[]') FROM (
                (SELECT * FROM invoices t
                    WHERE t.organization_id = org AND t.livemode = live
                        AND t.number IS NULL AND t.status <> 'void'
                    ORDER BY t.id LIMIT size)
                UNION
                (SELECT * FROM invoices t
                    WHERE t.organization_id = org AND t.livemode = live AND t.id = invoice_id
                        AND t.number IS NULL AND t.status <> 'void')
            ) AS w));
END $$;
