//! The sign-in machine: state × event → state + effects. Pure: no clock, no network, no disk; the actor does what the effects
//! say. Every rule about codes, attempts and cool-downs stands here and nowhere else.
//!
//! An account is two things at once: the login it *has* and the sign-in that is *under way*. They are kept apart because
//! the old login works until the new one is complete.
//!
//! A code counts before it is sent, on disk, so that a kill does not make it free. What Garmin answers settles it: a refusal is an
//! attempt, and what stopped it on the way is none. If nobody can know (the answer was lost, or the daemon was killed), the person
//! loses nothing at first, because the network is not theirs to answer for: the same code may be brought again. Two such codes are
//! free in a login; every further one is an attempt. So Garmin never sees more than five.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use garminsync_protocol::{AccountState, Failure, Kind, WayIn};
use serde::{Deserialize, Serialize};

pub use self::attempt::{Attempt, Challenge, Ended};
pub use self::events::{Effect, Event};
use self::refusals::{
    busy, cooling_down, expired, given_up, no_pending, no_resend, no_way_back, other_person, outlasted, outlasts,
    password_missing, rejected, unanswered,
};

mod attempt;
mod events;
mod refusals;

/// Codes a person may try before the login ends. Garmin's own limit is unknown; other clients stop after 2–5, so as not to
/// lock the account.
pub const CODE_ATTEMPTS: u32 = 3;
/// Codes beside these whose answer may be lost.
const UNANSWERED: u32 = 2;
/// Codes a person may ask for once more in one login. Garmin's own limit is unknown; its page says that asking too often ends in
/// "use a code you already have or wait 24 hours".
pub const RESENDS: u32 = 3;
/// Garmin's page lets a person ask for another code after this time.
pub const RESEND_PAUSE: TimeDelta = TimeDelta::seconds(30);
/// The same after Garmin said that it were too many.
const RESEND_REST: TimeDelta = TimeDelta::minutes(5);
/// First pause after Garmin turned a sign-in away; it doubles with every further one. Blocks clear after 1–24 h, and every
/// attempt in between re-arms them.
const FIRST_COOL_DOWN: TimeDelta = TimeDelta::hours(2);
/// Longest pause.
const LONGEST_COOL_DOWN: TimeDelta = TimeDelta::hours(24);

/// Longest time a login may wait for its code; the configuration allows no more, and Garmin's codes live half as long.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// What a stop in the middle of a sign-in leaves behind, for people.
const INTERRUPTED: &str =
    "the daemon was stopped while e-mail and password were with Garmin; if a code came, it is worthless: log in again";

/// The login an account has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Login {
    /// None.
    None,
    /// One that works, as far as anybody knows.
    Working,
    /// One that Garmin refuses for good; why, for people.
    Dead(String),
}

/// An account, as far as signing in goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The login it has.
    pub login: Login,
    /// The sign-in under way.
    pub attempt: Attempt,
    /// Sign-ins that Garmin turned away since the last good one.
    pub strikes: u32,
    /// The pause that a forced sign-in overrides: until when, and why. It stands again if that sign-in says nothing about Garmin's block.
    #[serde(default)]
    pub overridden: Option<(DateTime<Utc>, String)>,
    /// The pause that Garmin itself asked for when it last turned a sign-in away, in seconds.
    #[serde(default)]
    pub asked: u64,
}

impl State {
    /// An account nobody has signed in to.
    pub fn new() -> Self {
        Self { login: Login::None, attempt: Attempt::Idle(None), strikes: 0, overridden: None, asked: 0 }
    }

    /// The one word for it: the sign-in under way, else the login it has. A cool-down does not hide a login that works.
    pub fn word(&self) -> AccountState {
        match (&self.attempt, &self.login) {
            (Attempt::SigningIn(_) | Attempt::TakingOver(_), _) => AccountState::SigningIn,
            (Attempt::AwaitingMfa(_) | Attempt::AskingForCode(_), _) => AccountState::AwaitingMfa,
            (Attempt::CheckingCode(_), _) => AccountState::CheckingCode,
            (Attempt::Idle(_) | Attempt::CoolingDown(..), Login::Working) => AccountState::Active,
            (Attempt::CoolingDown(..), _) => AccountState::CoolingDown,
            (Attempt::Idle(_), Login::Dead(_)) => AccountState::LoginNeeded,
            (Attempt::Idle(_), Login::None) => AccountState::SignedOut,
        }
    }

    /// Why it stands there, for people.
    pub fn reason(&self) -> Option<String> {
        match (&self.attempt, &self.login) {
            (Attempt::CoolingDown(_, why), _) => Some(why.clone()),
            (_, Login::Dead(why)) => Some(why.clone()),
            (Attempt::Idle(Some(Ended::Expired)), _) => {
                Some("the last login ended: its code did not come in time".into())
            }
            (Attempt::Idle(Some(Ended::Interrupted)), _) => Some(INTERRUPTED.into()),
            (Attempt::Idle(Some(Ended::Failed(why) | Ended::Denied(why))), Login::None) => Some(why.clone()),
            _ => None,
        }
    }

    /// The way in that is left to whom Garmin lets no program sign in.
    pub fn instead(&self) -> Option<WayIn> {
        let denied = matches!(self.attempt, Attempt::Idle(Some(Ended::Denied(_)))) && self.login != Login::Working;
        denied.then_some(WayIn::ApiKey)
    }

    /// What follows from `event` at `now`.
    pub fn step(self, event: Event, now: DateTime<Utc>) -> (Self, Vec<Effect>) {
        let was_signing_in = matches!(self.attempt, Attempt::SigningIn(_));
        let pause = match &self.attempt {
            Attempt::CoolingDown(until, why) => Some((*until, why.clone())),
            _ => self.overridden.clone(),
        };
        let pause = pause.filter(|(until, _)| now < *until);
        let answered = event.is_garmins_answer();
        let (mut state, effects) = self.follow(event, now);
        match (&state.attempt, pause) {
            (Attempt::SigningIn(_), pause) => state.overridden = pause,
            // Forced, and no wiser: the pause is not over.
            (Attempt::Idle(_), Some((until, why))) if was_signing_in && !answered => {
                state.attempt = Attempt::CoolingDown(until, why);
            }
            _ => {}
        }
        (state, effects)
    }

    fn follow(self, event: Event, now: DateTime<Utc>) -> (Self, Vec<Effect>) {
        let State { login, attempt, strikes, asked, .. } = self;
        let overridden = None;
        let stay =
            |attempt, effects| (State { login: login.clone(), attempt, strikes, overridden: None, asked }, effects);
        match (event, attempt) {
            // --- asking to sign in ------------------------------------------------------------------------------------
            (Event::LoginAsked { email: Some(email), .. }, attempt) if attempt.is_anothers(&email, now) => {
                stay(attempt, vec![Effect::Refuse(other_person())])
            }
            (Event::LoginAsked { .. }, Attempt::AwaitingMfa(challenge)) if now < challenge.until => {
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::Stand])
            }
            (
                Event::LoginAsked { .. },
                attempt @ (Attempt::SigningIn(_)
                | Attempt::CheckingCode(_)
                | Attempt::AskingForCode(_)
                | Attempt::TakingOver(_)),
            ) => stay(attempt, vec![Effect::Join]),
            (Event::LoginAsked { with_password: false, .. }, attempt) => {
                stay(attempt, vec![Effect::Refuse(password_missing())])
            }
            (Event::LoginAsked { force: false, .. }, Attempt::CoolingDown(until, why)) if now < until => {
                let refusal = cooling_down(&why, until, now);
                stay(Attempt::CoolingDown(until, why), vec![Effect::Refuse(refusal)])
            }
            (Event::LoginAsked { email, .. }, Attempt::AwaitingMfa(_)) => {
                stay(Attempt::SigningIn(email), vec![Effect::DropPending, Effect::SignIn])
            }
            (Event::LoginAsked { email, .. }, _) => stay(Attempt::SigningIn(email), vec![Effect::SignIn]),

            // --- a login that was made elsewhere ----------------------------------------------------------------------
            // One at a time: two answers of Garmin's would end in one row of the vault.
            (
                Event::TakeOverAsked,
                attempt @ (Attempt::SigningIn(_)
                | Attempt::CheckingCode(_)
                | Attempt::AskingForCode(_)
                | Attempt::TakingOver(_)),
            ) => stay(attempt, vec![Effect::Refuse(busy())]),
            // No cool-down stands in its way: Garmin's blocks are at its sign-in pages, which this way does not ask. A person who
            // brings a ticket or a file sets the pace, one request or two each time.
            (Event::TakeOverAsked, attempt) => stay(Attempt::TakingOver(Box::new(attempt)), vec![Effect::TakeOver]),
            (Event::SignInFailed(failure) | Event::SignInBlocked(failure), Attempt::TakingOver(kept)) => {
                let attempt = match *kept {
                    Attempt::Idle(_) => Attempt::Idle(Some(Ended::by(&failure))),
                    kept => kept,
                };
                // What the vault could not take as the login may lie there unproven, and is all there is: a restart looks at it.
                let mut effects = vec![Effect::Tell(Some(failure.clone()))];
                if failure.kind != Kind::Storage {
                    effects.insert(0, Effect::DropCandidate);
                }
                stay(attempt, effects)
            }
            (Event::LoginProven, Attempt::TakingOver(kept)) => {
                // Garmin's block of the sign-in pages does not care that somebody came in by another door.
                let (attempt, strikes, asked) = match *kept {
                    Attempt::CoolingDown(until, why) if now < until => {
                        (Attempt::CoolingDown(until, why), strikes, asked)
                    }
                    _ => (Attempt::Idle(None), 0, 0),
                };
                let state = State { login: Login::Working, attempt, strikes, overridden, asked };
                (state, vec![Effect::DropPending, Effect::Tell(None)])
            }
            // Not given up half way: the ticket is spent and another program's tokens are renewed already, and the answer is the only
            // login there is.
            (Event::CancelAsked, attempt @ Attempt::TakingOver(_)) => {
                stay(attempt, vec![Effect::Refuse(no_way_back())])
            }
            (Event::CodeBrought(_) | Event::ResendAsked, attempt @ Attempt::TakingOver(_)) => {
                stay(attempt, vec![Effect::Refuse(busy())])
            }

            // --- the sign-in's end ------------------------------------------------------------------------------------
            (Event::CodeWanted(challenge), Attempt::SigningIn(_)) => {
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(None)])
            }
            (
                Event::SignInFailed(failure),
                Attempt::SigningIn(_) | Attempt::CheckingCode(_) | Attempt::AskingForCode(_),
            ) => {
                let ended = Attempt::Idle(Some(Ended::by(&failure)));
                stay(ended, vec![Effect::DropPending, Effect::Tell(Some(failure))])
            }
            (Event::SignInBlocked(failure), Attempt::SigningIn(_) | Attempt::CheckingCode(_)) => {
                let strikes = strikes.saturating_add(1);
                let asked = failure.retry_after_s.unwrap_or_default();
                let pause = cool_down(strikes, asked);
                let failure = failure.retry_after_s(seconds(pause));
                let attempt = Attempt::CoolingDown((now + pause).trunc_subsecs(0), failure.message.clone());
                (
                    State { login, attempt, strikes, overridden, asked },
                    vec![Effect::DropPending, Effect::Tell(Some(failure))],
                )
            }
            (Event::LoginProven, _) => {
                let attempt = Attempt::Idle(None);
                let state = State { login: Login::Working, attempt, strikes: 0, overridden, asked: 0 };
                (state, vec![Effect::DropPending, Effect::Tell(None)])
            }

            // --- the code ---------------------------------------------------------------------------------------------
            (Event::CodeBrought(_), Attempt::AwaitingMfa(challenge)) if now >= challenge.until => {
                stay(Attempt::Idle(Some(Ended::Expired)), vec![Effect::DropPending, Effect::Refuse(expired())])
            }
            (Event::CodeBrought(named), Attempt::AwaitingMfa(challenge)) => {
                if named.is_some_and(|named| named != challenge.id) {
                    let refusal = no_pending("That challenge is gone; another login waits for its own code")
                        .challenge(challenge.id.clone());
                    return stay(Attempt::AwaitingMfa(challenge), vec![Effect::Refuse(refusal)]);
                }
                if challenge.tries_left() == 0 {
                    let ended = Attempt::Idle(Some(Ended::Failed(unanswered().message)));
                    return stay(ended, vec![Effect::DropPending, Effect::Refuse(unanswered())]);
                }
                let challenge = Challenge { unanswered: challenge.unanswered.saturating_add(1), ..challenge };
                stay(Attempt::CheckingCode(challenge), vec![Effect::KeepPending, Effect::CheckCode])
            }
            (Event::CodeBrought(_), attempt @ Attempt::CheckingCode(_)) => {
                let refusal =
                    Failure::new(Kind::AlreadyRunning, "Another code is with Garmin right now; wait for its answer.");
                stay(attempt, vec![Effect::Refuse(refusal)])
            }
            (Event::CodeBrought(_), attempt @ Attempt::AskingForCode(_)) => {
                let refusal = Failure::new(
                    Kind::AlreadyRunning,
                    "A new code is being asked for right now. Nothing was sent; wait for that code, or bring this one again.",
                );
                stay(attempt, vec![Effect::Refuse(refusal)])
            }
            (Event::CodeBrought(_), attempt @ Attempt::Idle(Some(Ended::Expired))) => {
                stay(attempt, vec![Effect::Refuse(expired())])
            }
            (Event::CodeBrought(_) | Event::ResendAsked, attempt @ Attempt::Idle(Some(Ended::Interrupted))) => {
                stay(attempt, vec![Effect::Refuse(no_pending(INTERRUPTED))])
            }
            (Event::CodeBrought(_), attempt) => {
                stay(attempt, vec![Effect::Refuse(no_pending("No login waits for a code"))])
            }
            (Event::CodeRejected, Attempt::CheckingCode(challenge)) => {
                let mut challenge = challenge.answered();
                challenge.attempts_left = challenge.attempts_left.saturating_sub(1);
                let failure = rejected(&challenge);
                if challenge.tries_left() == 0 {
                    let ended = Attempt::Idle(Some(Ended::Failed(failure.message.clone())));
                    return stay(ended, vec![Effect::DropPending, Effect::Tell(Some(failure))]);
                }
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(Some(failure))])
            }
            (Event::CodeExpired, Attempt::CheckingCode(_)) => {
                let ended = Attempt::Idle(Some(Ended::Expired));
                stay(ended, vec![Effect::DropPending, Effect::Tell(Some(expired()))])
            }
            (Event::CodeUnanswered(_), Attempt::CheckingCode(challenge)) if challenge.tries_left() == 0 => {
                let ended = Attempt::Idle(Some(Ended::Failed(unanswered().message)));
                stay(ended, vec![Effect::DropPending, Effect::Tell(Some(unanswered()))])
            }
            (Event::CodeUnanswered(failure), Attempt::CheckingCode(challenge)) => {
                let failure = failure.challenge(challenge.id.clone()).attempts_left(challenge.tries_left());
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(Some(failure))])
            }
            // The login is over before Garmin may be asked again: it is a block like any other.
            (Event::CodeUndecided(failure), Attempt::CheckingCode(challenge))
                if outlasts(&failure, &challenge, now) =>
            {
                let blocked = Event::SignInBlocked(outlasted(&failure));
                State { login, attempt: Attempt::CheckingCode(challenge), strikes, overridden, asked }
                    .follow(blocked, now)
            }
            (Event::CodeUndecided(failure), Attempt::CheckingCode(challenge)) => {
                let challenge = challenge.answered();
                let failure = failure.challenge(challenge.id.clone()).attempts_left(challenge.tries_left());
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(Some(failure))])
            }

            // --- another code -----------------------------------------------------------------------------------------
            (Event::ResendAsked, Attempt::AwaitingMfa(challenge)) if now >= challenge.until => {
                stay(Attempt::Idle(Some(Ended::Expired)), vec![Effect::DropPending, Effect::Refuse(expired())])
            }
            (Event::ResendAsked, Attempt::AwaitingMfa(challenge)) => match no_resend(&challenge, now) {
                Some(refusal) => stay(Attempt::AwaitingMfa(challenge), vec![Effect::Refuse(refusal)]),
                None => stay(Attempt::AskingForCode(challenge), vec![Effect::SendCode]),
            },
            (Event::ResendAsked, attempt @ Attempt::AskingForCode(_)) => stay(attempt, vec![Effect::Join]),
            (Event::ResendAsked, attempt @ (Attempt::SigningIn(_) | Attempt::CheckingCode(_))) => {
                let words = "The login is with Garmin right now, so no code was asked for; wait for its answer.";
                stay(attempt, vec![Effect::Refuse(Failure::new(Kind::AlreadyRunning, words))])
            }
            (Event::ResendAsked, attempt @ Attempt::Idle(Some(Ended::Expired))) => {
                stay(attempt, vec![Effect::Refuse(expired())])
            }
            (Event::ResendAsked, attempt) => {
                stay(attempt, vec![Effect::Refuse(no_pending("No login waits for a code"))])
            }
            // Neither changes the deadline or the attempts.
            (Event::CodeSent, Attempt::AskingForCode(challenge)) => {
                let challenge = Challenge {
                    unsent: false,
                    resend_at: Some((now + RESEND_PAUSE).trunc_subsecs(0)),
                    resends_left: challenge.resends_left.saturating_sub(1),
                    ..challenge
                };
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(None)])
            }
            (Event::CodeNotSent(failure), Attempt::AskingForCode(challenge)) => {
                let pause = match failure.kind {
                    Kind::RateLimited => resend_rest(failure.retry_after_s),
                    _ => RESEND_PAUSE,
                };
                let failure = failure.challenge(challenge.id.clone()).attempts_left(challenge.attempts_left);
                let failure = failure.retry_after_s(seconds(pause));
                let challenge = Challenge { resend_at: Some((now + pause).trunc_subsecs(0)), ..challenge };
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending, Effect::Tell(Some(failure))])
            }

            // --- the login it has -------------------------------------------------------------------------------------
            (Event::GrantRefused(why), attempt) => match login {
                Login::Working => (State { login: Login::Dead(why), attempt, strikes, overridden, asked }, vec![]),
                login => (State { login, attempt, strikes, overridden, asked }, vec![]),
            },

            // --- giving up --------------------------------------------------------------------------------------------
            (Event::CancelAsked, Attempt::AwaitingMfa(_)) => {
                stay(Attempt::Idle(None), vec![Effect::DropPending, Effect::Stand])
            }
            (Event::CancelAsked, Attempt::SigningIn(_) | Attempt::CheckingCode(_) | Attempt::AskingForCode(_)) => {
                let gone = given_up();
                stay(
                    Attempt::Idle(None),
                    vec![Effect::Abort, Effect::DropPending, Effect::Tell(Some(gone)), Effect::Stand],
                )
            }
            (Event::CancelAsked, attempt) => stay(attempt, vec![Effect::Refuse(no_pending("No login is under way"))]),
            (Event::LogoutAsked, attempt) => {
                // A cool-down outlives the logout: Garmin's block does not care who is signed in here.
                let attempt = match attempt.given_up() {
                    Attempt::CoolingDown(until, why) if now < until => Attempt::CoolingDown(until, why),
                    _ => Attempt::Idle(None),
                };
                let gone = Failure::new(Kind::LoginNeeded, "The account was signed out meanwhile.");
                let effects = vec![Effect::Abort, Effect::ForgetSecrets, Effect::Tell(Some(gone)), Effect::Stand];
                (State { login: Login::None, attempt, strikes, overridden, asked }, effects)
            }

            // --- time -------------------------------------------------------------------------------------------------
            (Event::Tick, Attempt::AwaitingMfa(challenge)) if now >= challenge.until => {
                stay(Attempt::Idle(Some(Ended::Expired)), vec![Effect::DropPending, Effect::Tell(Some(expired()))])
            }
            (Event::Tick, Attempt::AwaitingMfa(challenge)) if challenge.tries_left() == 0 => {
                let ended = Attempt::Idle(Some(Ended::Failed(unanswered().message)));
                stay(ended, vec![Effect::DropPending, Effect::Tell(Some(unanswered()))])
            }
            // The clock was ahead when the wait began: it may last as long as any, and not for years.
            (Event::Tick, Attempt::AwaitingMfa(challenge)) if challenge.until > now + LONGEST_WAIT => {
                let challenge = Challenge { until: now + LONGEST_WAIT, ..challenge };
                stay(Attempt::AwaitingMfa(challenge), vec![Effect::KeepPending])
            }
            (Event::Tick, Attempt::CoolingDown(until, _)) if now >= until => stay(Attempt::Idle(None), vec![]),
            // A clock that was put back neither ends the pause nor makes it longer than it was.
            (Event::Tick, Attempt::CoolingDown(until, why)) if until > now + cool_down(strikes, asked) => {
                stay(Attempt::CoolingDown((now + cool_down(strikes, asked)).trunc_subsecs(0), why), vec![])
            }
            // What comes too late (an answer to a sign-in that was given up) changes nothing.
            (_, attempt) => stay(attempt, vec![]),
        }
    }

    /// The state a daemon finds after a restart: what was with Garmin when it stopped is no longer under way, but a sign-in
    /// that waits for its code still waits.
    pub fn restored(mut self) -> Self {
        self.attempt = match (self.attempt, self.overridden.take()) {
            (Attempt::SigningIn(_), Some((until, why))) => Attempt::CoolingDown(until, why),
            (attempt, _) => attempt.given_up(),
        };
        self
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// The pause after so many strikes, the last of which may have come with a longer pause that Garmin asked for, in seconds.
fn cool_down(strikes: u32, asked: u64) -> TimeDelta {
    let doublings = strikes.saturating_sub(1).min(4);
    (FIRST_COOL_DOWN * (1 << doublings)).max(of_seconds(asked)).min(LONGEST_COOL_DOWN)
}

/// How long no other code is asked for after Garmin refused to send one; `asked` is its own word for that, in seconds.
pub fn resend_rest(asked: Option<u64>) -> TimeDelta {
    of_seconds(asked.unwrap_or_default()).max(RESEND_REST)
}

/// No more than the longest pause.
fn of_seconds(asked: u64) -> TimeDelta {
    i64::try_from(asked).ok().and_then(TimeDelta::try_seconds).unwrap_or(LONGEST_COOL_DOWN).min(LONGEST_COOL_DOWN)
}

fn seconds(delta: TimeDelta) -> u64 {
    u64::try_from(delta.num_seconds()).unwrap_or(0)
}

#[cfg(test)]
#[path = "machine_test.rs"]
mod tests;
