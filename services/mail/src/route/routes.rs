//! Several ways out, the first one preferred.
//!
//! Does not choose at run time (the sender does). Invariant: never empty, and a folder stands alone.

use std::fmt;

use super::{Route, RouteError};

/// Ways out for mail in the order in which they are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routes(Vec<Route>);

impl Routes {
    /// Reads one route, or several SMTP routes with white space between them.
    pub fn parse(text: &str) -> Result<Self, RouteError> {
        let text = text.trim();
        if let Ok(folder @ Route::Files(_)) = Route::parse(text) {
            return Ok(Self(vec![folder]));
        }
        let routes: Vec<Route> = text.split_whitespace().map(Route::parse).collect::<Result<_, _>>()?;
        if routes.iter().any(|route| matches!(route, Route::Files(_))) {
            return Err(RouteError::FolderAmongRoutes);
        }
        if routes.is_empty() { Err(RouteError::Scheme) } else { Ok(Self(routes)) }
    }

    /// All of them, the preferred one first.
    pub fn all(&self) -> &[Route] {
        &self.0
    }
}

impl From<Route> for Routes {
    fn from(route: Route) -> Self {
        Self(vec![route])
    }
}

impl fmt::Display for Routes {
    /// The routes as they can be shown: without users and passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, route) in self.0.iter().enumerate() {
            write!(f, "{}{route}", if number == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_stand_in_their_order() {
        let routes = Routes::parse(" smtp://a.example\n smtps://b.example:4650 ").unwrap();
        assert_eq!(routes.to_string(), "smtp://a.example:25 smtps://b.example:4650");
        assert_eq!(Routes::parse(&routes.to_string()), Ok(routes));
    }

    #[test]
    fn a_folder_stands_alone_and_may_have_spaces() {
        assert_eq!(Routes::parse("file:my outbox").unwrap().to_string(), "file:my outbox");
        assert_eq!(Routes::parse("smtp://a.example file:outbox"), Err(RouteError::FolderAmongRoutes));
    }

    #[test]
    fn one_bad_route_is_an_error() {
        assert_eq!(Routes::parse("smtp://a.example relay.example"), Err(RouteError::Scheme));
        assert_eq!(Routes::parse("  "), Err(RouteError::Scheme));
    }
}
