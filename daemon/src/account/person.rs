//! Whose an account is. Two people's data must never run together under one name, so every credential, however it came, is held
//! against the person whose login or data are here already: before it is stored, or, where Garmin does not tell yet, before
//! the next sync reads with it.

use std::time::{Duration, Instant};

use chrono::Utc;
use garminsync_garmin::{Error, Garmin, Profile, Tier, TokenSource};
use garminsync_protocol::{Failure, Kind, WayIn};
use secrecy::SecretString;
use tokio::sync::oneshot;

use super::actor::Actor;
use super::machine::{Event, Login};
use super::message::{Done, Message};
use super::tokens::Keeper;
use super::{Access, AccountEvent, NoAccess};

/// A credential whose person Garmin does not tell (an account without data in a month) is not asked about with every sync.
const ASK_AGAIN: Duration = Duration::from_secs(3600);

/// Whose a credential is, as far as Garmin said.
pub type Owner = Profile;

type Waiting = oneshot::Sender<Result<Access, NoAccess>>;

/// Syncs that wait until it is known whose the credentials are.
#[derive(Default)]
pub struct Unchecked {
    waiting: Vec<(Vec<Tier>, Waiting)>,
    asking: Option<Tier>,
    asked: Option<Instant>,
}

/// The refusal of a credential that is another person's than the account's. Unknown numbers prove nothing.
pub fn another_person(account: &str, owner: Option<&Profile>, new: &Profile, what: &str) -> Option<Failure> {
    let owner = owner?;
    if owner.profile_id? == new.profile_id? {
        return None;
    }
    let words = format!(
        "This {what} belongs to {}, and the account {account:?} to {}: their data would run together. Nothing was changed. \
         Use --account NAME for the other person.",
        called(new),
        called(owner),
    );
    Some(Failure::new(Kind::NotAllowed, words).instead(WayIn::OtherAccount))
}

fn called(who: &Profile) -> String {
    let name = who.full_name.as_ref().or(who.display_name.as_ref());
    match (name, who.profile_id) {
        (Some(name), _) => name.clone(),
        (None, Some(id)) => format!("somebody else (Garmin's profile {id})"),
        (None, None) => "somebody".into(),
    }
}

/// Asks Garmin whose a bearer of the Personal tier is; a name is asked for only if it has to be said. `None`: it cannot be told
/// now.
pub async fn of_bearer(
    garmin: &Garmin,
    bearer: &SecretString,
    known: Option<&Profile>,
) -> Result<Option<Owner>, Error> {
    // Garmin answers 400 to a range that ends in somebody's future; yesterday in UTC is nobody's.
    let owner = match garmin.personal_owner(bearer, Utc::now().date_naive()).await {
        Err(error @ Error::Unauthorized) => return Err(error),
        Err(error) => {
            tracing::info!(%error, "whose the key is could not be asked; it is asked again before a sync");
            None
        }
        Ok(owner) => owner,
    };
    let Some(id) = owner else { return Ok(None) };
    let mut owner = Profile { profile_id: Some(id), display_name: None, full_name: None };
    if known.and_then(|known| known.profile_id).is_some_and(|known| known != id) {
        owner.display_name = garmin.personal_name(bearer).await.ok().flatten();
    }
    Ok(Some(owner))
}

impl Actor {
    /// The person whose login, or data, are here.
    pub(super) async fn owner(&self) -> Option<Profile> {
        if let Some(profile) = self.profile.as_ref().filter(|profile| profile.profile_id.is_some()) {
            return Some(profile.clone());
        }
        let name = self.name.clone();
        // A database that cannot be read does not keep anybody from signing in; the check comes again.
        let row = self.records.call(move |store| store.account(&name)).await.ok()?.ok()??;
        Some(Profile { profile_id: row.profile_id, display_name: row.display_name, full_name: row.full_name })
    }

    /// Who the account is, with what a credential adds to it.
    pub(super) fn learn(&mut self, new: &Profile) {
        let old = self.profile.take();
        let (id, display, full) = old.map_or((None, None, None), |p| (p.profile_id, p.display_name, p.full_name));
        self.profile = Some(Profile {
            profile_id: new.profile_id.or(id),
            display_name: new.display_name.clone().or(display),
            full_name: new.full_name.clone().or(full),
        });
    }

    /// What a sync needs; a credential whose person is not known yet is asked about first.
    pub(super) fn give_access(&mut self, paused: Vec<Tier>, reply: oneshot::Sender<Result<Access, NoAccess>>) {
        let access = self.access();
        let unknown = access.as_ref().ok().and_then(|access| {
            let known = |tier: &&Tier| match tier {
                Tier::Account => !self.checked.login,
                Tier::Personal => !self.checked.key,
            };
            access.tiers.iter().filter(|tier| !paused.contains(tier)).find(known).copied()
        });
        // Nor is Garmin asked again while it wants to be left alone.
        let throttled = |tier: Tier| {
            let throttle = self.garmin.throttled(tier);
            let since = throttle.and_then(|throttle| (Utc::now() - throttle.at).to_std().ok());
            since.is_some_and(|since| since < throttle.and_then(|asked| asked.retry_after).unwrap_or(ASK_AGAIN))
        };
        let rested = self.unchecked.asked.is_none_or(|at| at.elapsed() >= ASK_AGAIN);
        let rested = rested && !unknown.is_some_and(throttled);
        let Some(tier) = unknown.filter(|_| rested || self.unchecked.asking.is_some()) else {
            let _ = reply.send(access);
            return;
        };
        self.unchecked.waiting.push((paused, reply));
        if self.unchecked.asking.is_none() {
            self.unchecked.asking = Some(tier);
            self.ask_owner(tier);
        }
    }

    fn ask_owner(&self, tier: Tier) {
        let (garmin, keeper, own) = (self.garmin.clone(), Keeper(self.own.clone()), self.own.clone());
        let known = self.profile.clone();
        tokio::spawn(async move {
            let owner = match keeper.token(tier).await {
                Ok(token) if tier == Tier::Personal => of_bearer(&garmin, &token, known.as_ref()).await.ok().flatten(),
                Ok(token) => garmin.profile(&token).await.ok(),
                Err(_) => None,
            };
            let _ = own.send(Message::Done(0, Done::Owner(tier, owner))).await;
        });
    }

    /// Garmin said, or did not say, whose a credential in use is.
    pub(super) async fn owner_told(&mut self, tier: Tier, owner: Option<Owner>) {
        self.unchecked.asking = None;
        let still_there = match tier {
            Tier::Account => self.state.login == Login::Working,
            Tier::Personal => self.key.is_some(),
        };
        if let Some(owner) = owner.filter(|owner| still_there && owner.profile_id.is_some()) {
            self.compare(tier, &owner).await;
        } else {
            self.unchecked.asked = Some(Instant::now());
        }
        for (paused, reply) in std::mem::take(&mut self.unchecked.waiting) {
            // The other tier may have to be asked about, too.
            self.give_access(paused, reply);
        }
    }

    async fn compare(&mut self, tier: Tier, owner: &Owner) {
        let what = if tier == Tier::Account { "login" } else { "Personal API key" };
        let refusal = another_person(&self.name, self.owner().await.as_ref(), owner, what);
        match (tier, refusal) {
            (Tier::Account, None) => self.checked.login = true,
            (Tier::Personal, None) => self.checked.key = true,
            (Tier::Account, Some(refusal)) => {
                let why = refusal.message.trim_end_matches('.').to_owned();
                self.step(Event::GrantRefused(why), None).await;
                return;
            }
            (Tier::Personal, Some(refusal)) => {
                self.key_facts.never_again(refusal.message);
                self.write_down(&[], Vec::new()).await;
                self.publish();
                return;
            }
        }
        self.learn(owner);
        self.write_down(&[], Vec::new()).await;
        self.introduce();
        self.publish();
    }

    /// Tells the house who the account is.
    pub(super) fn introduce(&self) {
        let (account, domain) = (self.name.clone(), self.garmin.endpoints().domain.to_string());
        let _ = self.events.send(AccountEvent::Known { account, domain, profile: self.profile.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: Option<i64>, name: Option<&str>) -> Profile {
        Profile { profile_id: id, display_name: None, full_name: name.map(str::to_owned) }
    }

    #[test]
    fn only_two_different_numbers_are_two_people() {
        let refused = |owner: Option<&Profile>, new: &Profile| another_person("default", owner, new, "login").is_some();
        let (ana, eva) = (person(Some(1), Some("Ana")), person(Some(2), Some("Eva")));
        assert!(refused(Some(&ana), &eva));
        assert!(!refused(Some(&ana), &person(Some(1), Some("Ana Married"))));
        assert!(!refused(Some(&ana), &person(None, Some("Eva"))), "not known yet");
        assert!(!refused(Some(&person(None, Some("Ana"))), &eva), "not known yet");
        assert!(!refused(None, &eva));
    }

    #[test]
    fn a_refusal_says_who_is_who() {
        let words = |new: &Profile| another_person("default", Some(&person(Some(1), Some("Ana"))), new, "key");
        let failure = words(&person(Some(2), Some("Eva"))).unwrap();
        assert_eq!(failure.kind, Kind::NotAllowed);
        for part in ["belongs to Eva", "\"default\" to Ana", "--account NAME", "Nothing was changed"] {
            assert!(failure.message.contains(part), "{part}: {}", failure.message);
        }
        assert!(words(&person(Some(2), None)).unwrap().message.contains("profile 2"));
    }
}
