//! SCIM 2.0 resources as records: users are contacts, groups with our extension are organisations.
//!
//! Does not find resources in a file (`resources` does) and speaks to no server. Source: RFC 7643; its attribute names
//! and schema URNs are told apart without regard to case. Invariant: an attribute of another kind than a text is an
//! error of its resource, never an empty text.

mod members;
mod resources;
mod write;

use model::delivery::Role;

pub(super) use resources::{Resource, Resources};
pub(super) use write::{write_contacts, write_organisations};

use crate::directory::ContactRecord;
use crate::directory::documents::{Address, Organisation, Person, first_of};
use members::Members;

const LIST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Our extension of users: `tenantId`, `role`, `channel`, `priority`, `verified`, `mayBeNamed`.
const CONTACT_URN: &str = "urn:forthright:params:scim:schemas:extension:1.0:Contact";
/// Our extension of groups: `tenantId`, `domains`, `country`, `language`.
const ORGANISATION_URN: &str = "urn:forthright:params:scim:schemas:extension:1.0:Organisation";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Group,
}

/// The organisation in a group; `None` for a user.
pub(super) fn organisation(resource: &Resource<'_>) -> Result<Option<Organisation>, String> {
    let members = &resource.members;
    if kind(members)? == Kind::User {
        return Ok(None);
    }
    let Some(ours) = members.object(ORGANISATION_URN)? else {
        return Err(format!("the group has no {ORGANISATION_URN}, so it is no organisation"));
    };
    let domains = ours.values("domains")?;
    Ok(Some(Organisation {
        line: resource.line,
        tenant_id: ours.text("tenantId")?,
        tenant_name: members.text("displayName")?,
        country: ours.text("country")?,
        language: ours.text("language")?,
        domains: domains.into_iter().filter(|domain| !domain.is_empty()).collect(),
    }))
}

/// The person in a user; `None` for a group.
pub(super) fn person(resource: &Resource<'_>) -> Result<Option<Person>, String> {
    let members = &resource.members;
    if kind(members)? == Kind::Group {
        return Ok(None);
    }
    let ours = members.object(CONTACT_URN)?.unwrap_or_default();
    let enterprise = members.object(ENTERPRISE_URN)?.unwrap_or_default();
    let tags = members.text("preferredLanguage")?;
    // RFC 7643 gives it the form of an HTTP header: `de-AT, de;q=0.8`.
    let tag = tags.split([',', ';']).next().unwrap_or_default();
    let record = ContactRecord {
        line: resource.line,
        tenant_id: first_of([&ours.text("tenantId")?, &enterprise.text("organization")?]),
        role: role(members, &ours)?,
        name: name(members)?,
        email: String::new(),
        language: first_of([tag, &members.text("locale")?]),
        channel: ours.text("channel")?,
        timezone: members.text("timezone")?,
        priority: ours.text("priority")?,
        state: flag(members.text("active")?, "active", "disabled"),
        verified: flag(ours.text("verified")?, "verified", "unverified"),
        may_be_named: flag(ours.text("mayBeNamed")?, "yes", "no"),
    };
    Ok(Some(Person { record, addresses: addresses(members)? }))
}

/// What a resource is: by its schemas, else by what it has.
fn kind(members: &Members<'_>) -> Result<Kind, String> {
    let schemas = members.values("schemas")?;
    let meta = members.object("meta")?.unwrap_or_default().text("resourceType")?;
    let has = |urn: &str, name| schemas.iter().any(|schema| schema.eq_ignore_ascii_case(urn)) || meta == name;
    if has(USER_URN, "User") {
        Ok(Kind::User)
    } else if has(GROUP_URN, "Group") {
        Ok(Kind::Group)
    } else if schemas.is_empty() && meta.is_empty() && (members.has("userName") || members.has("emails")) {
        Ok(Kind::User)
    } else if schemas.is_empty() && meta.is_empty() && (members.has("members") || members.has(ORGANISATION_URN)) {
        Ok(Kind::Group)
    } else {
        Err("it is neither a User nor a Group".to_owned())
    }
}

fn name(members: &Members<'_>) -> Result<String, String> {
    let name = members.object("name")?.unwrap_or_default();
    let (given, family) = (name.text("givenName")?, name.text("familyName")?);
    Ok(first_of([&name.text("formatted")?, &members.text("displayName")?, &format!("{given} {family}")]))
}

fn role(members: &Members<'_>, ours: &Members<'_>) -> Result<String, String> {
    let ours = ours.text("role")?;
    if !ours.is_empty() {
        return Ok(ours);
    }
    let roles = members.values("roles")?;
    let title = members.text("title")?;
    Ok(roles.iter().chain([&title]).find_map(|text| known_role(text)).unwrap_or_default().to_owned())
}

/// The name of a role that is written in another way: `Account Manager`, `SECURITY`.
pub(super) fn known_role(text: &str) -> Option<&'static str> {
    let name = text.trim().to_ascii_lowercase().replace([' ', '_'], "-");
    Role::parse(&name).map(Role::as_str)
}

/// A boolean in our words; some servers send `"True"` for `true`. What is none of these stays as written.
fn flag(text: String, yes: &str, no: &str) -> String {
    match () {
        () if text.eq_ignore_ascii_case("true") => yes.to_owned(),
        () if text.eq_ignore_ascii_case("false") => no.to_owned(),
        () => text,
    }
}

/// The addresses, the primary one first: those at home only where there is no other, the user's name where there is none.
fn addresses(members: &Members<'_>) -> Result<Vec<Address>, String> {
    let (mut work, mut home) = (Vec::new(), Vec::new());
    for entry in members.entries("emails")? {
        let email = entry.text("value")?;
        if email.is_empty() {
            continue;
        }
        let is_second = !entry.text("primary")?.eq_ignore_ascii_case("true");
        let is_home = entry.text("type")?.eq_ignore_ascii_case("home");
        if is_home { &mut home } else { &mut work }.push((is_second, email));
    }
    let mut found = if work.is_empty() { home } else { work };
    found.sort_by_key(|(is_second, _)| *is_second);
    let mut emails: Vec<String> = found.into_iter().map(|(_, email)| email).collect();
    let user = members.text("userName")?;
    if emails.is_empty() && user.contains('@') {
        emails.push(user);
    }
    Ok(emails.into_iter().map(|email| Address { email, priority: String::new() }).collect())
}
