-- An answer is held against the names of other organisations: each run of its words is looked up.
CREATE INDEX tenants_by_name ON tenants (LOWER(name));
