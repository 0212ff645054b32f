//! How the figures of an incident are counted again from an exported set, in any SQLite: anybody can run them who has
//! the file.
//!
//! Not run here. Invariant: each reads one table `figure`, whose columns are those of the exported set, all of them
//! texts; a test runs each in the `sqlite3` shell.

const DISTINCT_KEYS: &str = "SELECT COUNT(DISTINCT key) FROM figure";

/// (figure, query).
const QUERIES: [(&str, &str); 26] = [
    ("rows", "SELECT COALESCE(SUM(CAST(accepted AS INTEGER) + CAST(rejects_not_corrected AS INTEGER)), 0) FROM figure"),
    ("blank_lines", "SELECT COALESCE(SUM(CAST(blank_lines AS INTEGER)), 0) FROM figure"),
    ("accepted_rows", "SELECT COALESCE(SUM(CAST(accepted AS INTEGER)), 0) FROM figure"),
    ("rejected_columns", "SELECT COUNT(*) FROM figure WHERE reason = 'columns'"),
    ("rejected_no_domain", "SELECT COUNT(*) FROM figure WHERE reason = 'no_domain'"),
    ("rejected_bad_domain", "SELECT COUNT(*) FROM figure WHERE reason = 'bad_domain'"),
    ("shared_rows", "SELECT COALESCE(SUM(CAST(rows AS INTEGER)), 0) FROM figure WHERE verdict = 'shared'"),
    ("shared_addresses", DISTINCT_KEYS),
    ("organisation_rows", "SELECT COALESCE(SUM(CAST(rows AS INTEGER)), 0) FROM figure WHERE verdict <> 'shared'"),
    (
        "rows_with_missing_field",
        "SELECT COALESCE(SUM(CAST(rows_missing AS INTEGER)), 0) FROM figure WHERE verdict <> 'shared'",
    ),
    (
        "rows_with_invalid_field",
        "SELECT COALESCE(SUM(CAST(rows_invalid AS INTEGER)), 0) FROM figure WHERE verdict <> 'shared'",
    ),
    ("organisations", "SELECT COUNT(DISTINCT organisation_domain) FROM figure WHERE verdict <> 'shared'"),
    ("unmapped_organisations", "SELECT COUNT(DISTINCT organisation_domain) FROM figure WHERE verdict = 'unmapped'"),
    ("unmapped_rows", "SELECT COALESCE(SUM(CAST(rows AS INTEGER)), 0) FROM figure WHERE verdict = 'unmapped'"),
    ("conflicting_organisations", "SELECT COUNT(DISTINCT organisation_domain) FROM figure WHERE verdict = 'conflict'"),
    ("tenants_affected", "SELECT COUNT(DISTINCT tenant_id) FROM figure WHERE verdict = 'mapped'"),
    ("tenants_without_contact", "SELECT COUNT(*) FROM figure WHERE contacts = '0'"),
    ("notices_to_write", "SELECT COUNT(*) FROM figure WHERE contacts <> '0'"),
    ("objects", "SELECT COUNT(DISTINCT object) FROM figure"),
    (
        "bytes",
        "SELECT COALESCE(SUM(size), 0) FROM (SELECT MIN(CAST(size_bytes AS INTEGER)) AS size FROM figure WHERE size_bytes <> '' GROUP BY object)",
    ),
    (
        "data_type_objects",
        "SELECT json_group_object(type, objects) FROM (SELECT type, COUNT(*) AS objects FROM (SELECT MIN(NULLIF(data_type, '')) AS type FROM figure GROUP BY object) WHERE type IS NOT NULL GROUP BY type ORDER BY type)",
    ),
    (
        "objects_without_data_type",
        "SELECT COUNT(*) FROM (SELECT 1 FROM figure GROUP BY object HAVING MAX(data_type) = '')",
    ),
    (
        "objects_in_dispute",
        "SELECT COUNT(*) FROM (SELECT 1 FROM figure GROUP BY object HAVING MAX(disputed) = '1' OR COUNT(DISTINCT NULLIF(size_bytes, '')) > 1 OR COUNT(DISTINCT NULLIF(document_date, '')) > 1 OR COUNT(DISTINCT NULLIF(data_type, '')) > 1)",
    ),
    ("emails", DISTINCT_KEYS),
    ("users", DISTINCT_KEYS),
    ("projects", DISTINCT_KEYS),
];

/// The query of a figure; empty for a name that is none.
pub fn query(figure: &str) -> &'static str {
    QUERIES.iter().find(|(name, _)| *name == figure).map_or("", |(_, query)| query)
}
