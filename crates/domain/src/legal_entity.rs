//! Whose purchase a record is, where one Brex account serves several companies: the legal entity that spent says in which company
//! it is booked. A purchase of an entity that nobody is named for is held: unknown means that nothing is booked.

use crate::hold::{Hold, HoldCode};

/// A legal entity as an expense names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalEntity {
    /// Brex id (`cuent_…`).
    pub id: String,
    /// The name that people know it by, where Brex tells it.
    pub name: Option<String>,
}

impl LegalEntity {
    /// True when `named`, an id or a name, means this entity.
    pub fn is(&self, named: &str) -> bool {
        let named = named.trim();
        self.id == named || self.name.as_deref().is_some_and(|name| name.trim() == named)
    }

    /// Name and id, for a sentence.
    pub fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| self.id.clone(), |name| format!("{} ({})", name.trim(), self.id))
    }
}

/// Which legal entities a connection books for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entities {
    /// Ids or names of those that are booked here. None means that all are.
    pub ours: Vec<String>,
    /// Ids or names of those that are booked elsewhere, with where that is.
    pub others: Vec<(String, String)>,
    /// Purchases of which Brex names no entity are booked here, too.
    pub takes_unnamed: bool,
}

/// Whose a purchase is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Ours to book.
    Ours,
    /// Booked elsewhere; why, as a sentence.
    Elsewhere(String),
    /// Nobody says.
    Unknown(Hold),
}

impl Entities {
    /// True when it matters who spent.
    pub fn matter(&self) -> bool {
        !self.ours.is_empty()
    }

    /// Whose a purchase of this entity is.
    pub fn whose(&self, entity: Option<&LegalEntity>) -> Whose {
        if !self.matter() {
            return Whose::Ours;
        }
        let unknown = |text: String| Whose::Unknown(Hold::new(HoldCode::LegalEntityUnknown, text));
        let Some(entity) = entity else {
            if self.takes_unnamed {
                return Whose::Ours;
            }
            return unknown(
                "Brex names no legal entity for this purchase, so nothing says in which company it is booked"
                    .to_owned(),
            );
        };
        let other = self.others.iter().find(|(named, _)| entity.is(named));
        match (self.ours.iter().any(|named| entity.is(named)), other) {
            (true, None) => Whose::Ours,
            // By its id here and by its name there.
            (true, Some((_, place))) => unknown(format!(
                "{} spent, whose purchases are said to be booked both here and {place}",
                entity.shown()
            )),
            (false, Some((_, place))) => {
                Whose::Elsewhere(format!("{} spent, whose purchases are booked {place}", entity.shown()))
            }
            (false, None) => unknown(format!("{} spent, and no connection books its purchases", entity.shown())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(id: &str, name: Option<&str>) -> LegalEntity {
        LegalEntity { id: id.to_owned(), name: name.map(str::to_owned) }
    }

    fn entities() -> Entities {
        Entities {
            ours: vec!["cuent_us".to_owned(), " Zephyr Labs ".to_owned()],
            others: vec![("cuent_uk".to_owned(), "by connection uk".to_owned())],
            takes_unnamed: false,
        }
    }

    #[test]
    fn an_entity_is_known_by_its_id_or_its_name() {
        assert_eq!(entities().whose(Some(&entity("cuent_us", None))), Whose::Ours);
        assert_eq!(entities().whose(Some(&entity("cuent_x", Some("Zephyr Labs")))), Whose::Ours);
        let elsewhere = entities().whose(Some(&entity("cuent_uk", Some("Zephyr Ltd"))));
        let text = "Zephyr Ltd (cuent_uk) spent, whose purchases are booked by connection uk";
        assert_eq!(elsewhere, Whose::Elsewhere(text.to_owned()));
    }

    #[test]
    fn what_nobody_is_named_for_is_held() {
        for entity in [None, Some(entity("cuent_new", Some("zephyr labs")))] {
            let Whose::Unknown(hold) = entities().whose(entity.as_ref()) else { panic!("{entity:?} was decided") };
            assert_eq!(hold.code, HoldCode::LegalEntityUnknown);
        }
        let generous = Entities { takes_unnamed: true, ..entities() };
        assert_eq!(generous.whose(None), Whose::Ours);
    }

    #[test]
    fn an_entity_that_is_named_by_its_id_here_and_by_its_name_there_is_held() {
        let both = Entities { others: vec![("Zephyr Inc.".to_owned(), "by connection uk".to_owned())], ..entities() };
        let Whose::Unknown(hold) = both.whose(Some(&entity("cuent_us", Some("Zephyr Inc.")))) else {
            panic!("it was decided")
        };
        assert!(hold.sentence.ends_with("said to be booked both here and by connection uk"), "{}", hold.sentence);
    }

    #[test]
    fn without_names_everything_is_ours() {
        assert_eq!(Entities::default().whose(None), Whose::Ours);
        assert_eq!(Entities::default().whose(Some(&entity("cuent_uk", None))), Whose::Ours);
    }
}
