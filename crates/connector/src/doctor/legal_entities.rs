//! Whether every legal entity of the Brex account is booked by somebody.

use clients::Kind;
use domain::legal_entity::{LegalEntity, Whose};

use super::{Patient, Verdict};
use crate::flow::legal_entity::{check_shared, entities};

impl Patient<'_> {
    /// Where the connection names legal entities: does each of the account's have a place?
    pub(super) async fn legal_entities(&mut self) {
        const CHECK: &str = "Brex: legal entities";
        if let Err(problem) = check_shared(self.app, self.connection) {
            return self.note(CHECK, Verdict::Failed, problem.sentence, Some(problem.code));
        }
        let entities = entities(self.app, self.connection);
        if !entities.matter() {
            return;
        }
        let listed = match self.connection.brex.list_legal_entities().await {
            Ok(listed) => listed,
            Err(error) if error.kind() == Kind::Forbidden => {
                let text = "the token lacks legal_entities.readonly: whether every legal entity is named cannot be checked here; a \
                            purchase of one that is not is held";
                return self.note(CHECK, Verdict::Warning, text, None);
            }
            Err(error) => {
                self.answered(CHECK, Err::<(), _>(error), |()| String::new());
                return;
            }
        };
        let listed = listed.into_iter().map(|entity| LegalEntity { id: entity.id, name: Some(entity.display_name) });
        let listed: Vec<LegalEntity> = listed.collect();
        let is_open = |entity: &&LegalEntity| matches!(entities.whose(Some(entity)), Whose::Unknown(_));
        let open: Vec<String> = listed.iter().filter(is_open).map(LegalEntity::shown).collect();
        let strange: Vec<&str> = entities
            .ours
            .iter()
            .map(String::as_str)
            .filter(|named| !listed.iter().any(|entity| entity.is(named)))
            .collect();
        let (verdict, text) = if !strange.is_empty() {
            (Verdict::Failed, format!("brex.legal_entities names what Brex does not have: {}", strange.join(", ")))
        } else if !open.is_empty() {
            let text = "no connection books for these, and their purchases are held: name them in brex.legal_entities of one, or in \
                        brex.other_legal_entities";
            (Verdict::Warning, format!("{text}: {}", open.join(", ")))
        } else {
            (Verdict::Ok, format!("each of the {} has its place", listed.len()))
        };
        let code = (verdict == Verdict::Failed).then(|| "legal_entity_unknown".to_owned());
        self.note(CHECK, verdict, text, code);
    }
}
