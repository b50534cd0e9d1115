//! What a query asks for, in the open: for whoever builds queries and wants to know how Business Central would read them.

use super::super::sets;
use super::filter::{Expr, Operand, Relation};
use super::query::{Options, Pairs};

/// A filter as it was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Understood {
    /// A field is compared with a value.
    Condition {
        /// The field.
        field: &'static str,
        /// `eq`, `ne`, `gt`, `ge`, `lt`, `le`, `startswith`, `endswith` or `contains`.
        relation: &'static str,
        /// The value without its quotes; numbers, dates and moments in their usual form, `null` for none.
        value: String,
        /// Whether the field itself is compared, not its lower case or a part of it.
        is_whole: bool,
    },
    /// Both must hold.
    And(Box<Self>, Box<Self>),
    /// One of both must hold.
    Or(Box<Self>, Box<Self>),
    /// It must not hold.
    Not(Box<Self>),
    /// Every row passes.
    Everything,
}

impl Understood {
    /// Reads the filter of a query string on a set of API v2.0; none if the query has no filter. A refusal gives the words of
    /// Business Central.
    pub fn filter_of(set: &str, query: &str) -> Result<Option<Self>, String> {
        let set = sets::top_level(set).ok_or_else(|| format!("there is no set {set}"))?;
        let options = Options::of(&Pairs::parse(query), set, false).map_err(|refusal| refusal.message)?;
        Ok(options.filter.as_ref().map(Self::of))
    }

    /// The values that a field is asked to equal, if the filter is nothing but that, joined by `or`.
    pub fn values_of(&self, wanted: &str) -> Option<Vec<&str>> {
        match self {
            Self::Condition { field, relation: "eq", value, is_whole: true } if *field == wanted => Some(vec![value]),
            Self::Or(left, right) => {
                let mut values = left.values_of(wanted)?;
                values.extend(right.values_of(wanted)?);
                Some(values)
            }
            _ => None,
        }
    }

    fn of(expr: &Expr) -> Self {
        match expr {
            Expr::Test(test) => Self::Condition {
                field: test.field.name,
                relation: word(test.relation),
                is_whole: test.is_whole(),
                value: match &test.operand {
                    Operand::Text(value) => value.clone(),
                    Operand::Number(number) => number.to_string(),
                    Operand::Moment(moment) => moment.to_string(),
                    Operand::Bool(is_true) => is_true.to_string(),
                    Operand::Null => "null".to_owned(),
                },
            },
            Expr::And(left, right) => Self::And(Box::new(Self::of(left)), Box::new(Self::of(right))),
            Expr::Or(left, right) => Self::Or(Box::new(Self::of(left)), Box::new(Self::of(right))),
            Expr::Not(inner) => Self::Not(Box::new(Self::of(inner))),
            Expr::Everything => Self::Everything,
        }
    }
}

fn word(relation: Relation) -> &'static str {
    match relation {
        Relation::Equal => "eq",
        Relation::NotEqual => "ne",
        Relation::Greater => "gt",
        Relation::GreaterOrEqual => "ge",
        Relation::Less => "lt",
        Relation::LessOrEqual => "le",
        Relation::StartsWith => "startswith",
        Relation::EndsWith => "endswith",
        Relation::Contains => "contains",
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::Understood;

    #[test]
    fn a_filter_is_told_as_it_was_understood() {
        let read = |query: &str| Understood::filter_of("vendors", query);
        let one = read("$filter=displayName%20eq%20'O''Hara'%20or%20displayName%20eq%20''").unwrap().unwrap();
        assert_eq!(one.values_of("displayName"), Some(vec!["O'Hara", ""]));
        assert_eq!(one.values_of("number"), None);
        let both = read("$filter=displayName eq 'a' and number eq 'V1'").unwrap().unwrap();
        assert_eq!(both.values_of("displayName"), None);
        assert_eq!(read("$top=1").unwrap(), None);
        assert!(read("$filter=displayName eq 'a").is_err());
    }
}
