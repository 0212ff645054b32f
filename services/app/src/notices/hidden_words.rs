//! The reason of a withholding is told to whoever is not told the fact: it does not give the fact away.
//!
//! Changes nothing. Invariant: no reason holds a number or the name of a data type that is withheld with it, or before it,
//! from the same readers; nor does the name of a data type that they are told.

use model::report::{Facts, told};
use model::taxonomy::Taxonomy;
use model::withholding::FactName;
use store::Tx;
use store::facts::Scope;

use crate::{App, AppError, Incident};

/// Refuses a reason that states what it withholds, or what is withheld already, with its place.
pub(super) async fn refuse(
    app: &App,
    tx: &mut Tx,
    incident: &Incident,
    tenant: Option<&str>,
    name: &FactName,
    why: &str,
) -> Result<(), AppError> {
    let mut hidden = vec![plain(&name.to_string()).to_owned()];
    hidden.extend(name.follows().iter().map(|name| (*name).to_owned()));
    for row in store::withholdings::in_force(tx, incident.id).await? {
        // What is withheld from everybody is withheld from one, too.
        if row.tenant_id.is_none() || row.tenant_id.as_deref() == tenant {
            hidden.push(plain(&row.fact).to_owned());
        }
    }
    let sheets = match tenant {
        Some(tenant) => {
            let domains = store::facts::facts(tx, incident.id, Scope::Tenants(tenant, tenant)).await?;
            crate::tickets::sheets(&app.templates, &domains)
        }
        None => {
            let domains = store::facts::facts(tx, incident.id, Scope::Incident).await?;
            crate::tickets::sheets(&app.templates, &domains).pop().into_iter().collect()
        }
    };
    for sheet in sheets {
        let facts = Facts { withheld: hidden.clone(), ..sheet };
        refuse_telling_name(&facts)?;
        if let Some(found) = told(why, &facts) {
            let column =
                why.lines().nth(found.line - 1).and_then(|line| Some(line[..line.find(&found.said)?].chars().count()));
            let place = column.map_or(String::new(), |column| format!(", column {}", column + 1));
            return Err(AppError::refused(
                format!(
                    "the reason, line {}{place}: `{}` tells {}, which is withheld",
                    found.line, found.said, found.fact
                ),
                "give the reason without it: whoever is not told the fact reads it",
            ));
        }
    }
    Ok(())
}

/// Refuses where a data type of the manifest is called by a number that is withheld: letters name it.
fn refuse_telling_name(facts: &Facts) -> Result<(), AppError> {
    let own = facts.types.iter().map(|(id, _)| id).filter(|id| Taxonomy::builtin().get(id).is_none());
    for id in own.filter(|id| !facts.hides_type(id)) {
        if let Some(found) = told(&id.replace(['_', '-', '.'], " "), facts) {
            return Err(AppError::refused(
                format!("the data type `{id}` of the manifest tells {} by its name, and letters name it", found.fact),
                format!("withhold type:{id} first, or with it"),
            ));
        }
    }
    Ok(())
}

/// Without its domain.
fn plain(fact: &str) -> &str {
    fact.split_once('/').map_or(fact, |(_, name)| name)
}
