-- Products whose findings of a scan type have identities by earlier settings. An
-- import into one brings them up to date first; a job does the others.
create table dedup_pending (
    product_id bigint not null references products on delete cascade,
    scan_type  text not null,
    primary key (product_id, scan_type)
);
