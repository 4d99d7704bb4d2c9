//! A login's code: asked for, sent, checked. `sso` begins it, `mfa` (JSON) and `widget` (HTML) continue it, each in its
//! own language; the rules are the same.

use super::http::Request;
use super::sessions::Challenge;
use super::world::{Mail, World};
use crate::people::Person;

/// Codes of one login after which Garmin says "use a code you already have or wait 24 hours".
const MOST_CODES: u32 = 5;

/// What must come back of the page's cookies. Cloudflare's `__cf_bm` may have expired meanwhile.
const NEEDED_COOKIES: [&str; 4] = ["SESSION", "__VCAP_ID__", "__cflb", "_cfuvid"];

/// No code is sent: the last one is too fresh, there were too many, or nobody waits for one by mail.
pub(super) struct TooSoon;

/// What became of a code that was handed in.
pub(super) enum Checked {
    /// Right; whose login it is.
    Right(String),
    Wrong,
    /// No login waits for it.
    Nothing,
}

/// The session of the request, if its login waits for a code. Each path serves every flow's session.
pub(super) fn waiting(world: &World, request: &Request) -> Option<String> {
    let cookies = request.cookies();
    let id = cookies.get("SESSION")?;
    let session = world.sessions.get(id)?;
    (session.challenge.is_some() && session.has(&NEEDED_COOKIES, &cookies)).then(|| id.clone())
}

/// Makes the session wait for a code by `method`, as Garmin writes it. A new login voids the code of an older one.
pub(super) fn begin(world: &mut World, session: &str, person: &Person, service_url: &str, method: &str) -> String {
    for session in world.sessions.values_mut() {
        session.challenge.take_if(|challenge| challenge.user == person.email);
    }
    let shown = if world.knobs.upper_case_methods { method.to_uppercase() } else { method.to_owned() };
    let sent = world.now();
    if let Some(session) = world.sessions.get_mut(session) {
        session.challenge = Some(Challenge {
            user: person.email.clone(),
            service_url: service_url.to_owned(),
            method: shown.clone(),
            code: (method == "totp").then(|| person.totp_code()),
            sent,
            codes_sent: 0,
            wrong: 0,
        });
    }
    shown
}

/// Where codes of this method go, masked as Garmin does; nowhere for an authenticator app.
pub(super) fn destination(person: &Person, method: &str) -> String {
    match method.to_lowercase().as_str() {
        "email" => person.masked_email(),
        "sms" => "*******42".to_owned(),
        _ => String::new(),
    }
}

/// Sends a new code to the person whose login waits in this session; the old one is void.
pub(super) fn send(world: &mut World, session: &str) -> Result<(), TooSoon> {
    let (now, code, pause) = (world.now(), world.digits(6), world.knobs.resend_pause);
    let waiting = world.sessions.get_mut(session).and_then(|session| session.challenge.as_mut());
    let Some(challenge) = waiting.filter(|challenge| !challenge.method.eq_ignore_ascii_case("totp")) else {
        return Err(TooSoon);
    };
    let paused = challenge.codes_sent == 0 || (now - challenge.sent).to_std().unwrap_or_default() >= pause;
    if !paused || challenge.codes_sent >= MOST_CODES {
        return Err(TooSoon);
    }
    challenge.code = Some(code.clone());
    challenge.sent = now;
    challenge.codes_sent += 1;
    let (user, method) = (challenge.user.clone(), challenge.method.to_lowercase());
    let sent_to = world.person(&user).map(|person| destination(person, &method)).unwrap_or_default();
    world.send_mail(Mail { at: now, user, method, sent_to, code });
    Ok(())
}

/// Ends the wait if the code is right, or if there were too many wrong ones.
pub(super) fn check(world: &mut World, session: &str, code: &str) -> Checked {
    let (now, life, attempts) = (world.now(), world.knobs.code_life, world.knobs.code_attempts);
    let Some(session) = world.sessions.get_mut(session) else { return Checked::Nothing };
    let Some(challenge) = session.challenge.as_mut() else { return Checked::Nothing };
    let mailed = !challenge.method.eq_ignore_ascii_case("totp");
    let expired = mailed && (now - challenge.sent).to_std().unwrap_or_default() > life;
    if challenge.code.as_deref() == Some(code) && !expired {
        let user = challenge.user.clone();
        session.challenge = None;
        return Checked::Right(user);
    }
    challenge.wrong += 1;
    if challenge.wrong >= attempts {
        session.challenge = None;
    }
    Checked::Wrong
}
