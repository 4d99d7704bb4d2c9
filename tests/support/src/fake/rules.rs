//! Misbehaviour of single requests: which ones a rule meets and what then happens to them.
//! Tests make rules (`FakeGarmin::misbehave`), other languages send them as JSON to `/_fake/misbehave`;
//! `server` asks for the rule of each request. A rule knows nothing of what the request means.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::http::{Host, Reply, Request, pages};

/// Which requests misbehave, and how. Unset fields match everything.
///
/// ```
/// # use garminsync_test_support::fake::{Effect, Host, Rule};
/// // The second refresh is answered 503 although the token was rotated.
/// let rule = Rule::does(Effect::status(503)).host(Host::Diauth).path("token").skip(1).times(1).after();
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What happens.
    pub effect: Effect,
    /// Only requests to this host.
    #[serde(default)]
    pub host: Option<Host>,
    /// Only requests whose path and query contain this.
    #[serde(default)]
    pub path: Option<String>,
    /// Only requests with this method.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests of this person, by e-mail address.
    #[serde(default)]
    pub user: Option<String>,
    /// Let this many matching requests pass first.
    #[serde(default)]
    pub skip: u32,
    /// Then misbehave this many times; `None`: for ever.
    #[serde(default)]
    pub times: Option<u32>,
    /// Act on the request first (rotate the token, send the code), and only then misbehave.
    #[serde(default)]
    pub after: bool,
}

impl Rule {
    /// A rule for every request; narrow it with the other methods.
    pub fn does(effect: Effect) -> Rule {
        Rule { effect, host: None, path: None, method: None, user: None, skip: 0, times: None, after: false }
    }

    /// Only requests to this host.
    pub fn host(self, host: Host) -> Rule {
        Rule { host: Some(host), ..self }
    }

    /// Only requests whose path and query contain this text.
    pub fn path(self, part: &str) -> Rule {
        Rule { path: Some(part.into()), ..self }
    }

    /// Only requests with this method.
    pub fn method(self, method: &str) -> Rule {
        Rule { method: Some(method.into()), ..self }
    }

    /// Only requests of this person.
    pub fn user(self, email: &str) -> Rule {
        Rule { user: Some(email.into()), ..self }
    }

    /// Let the first `n` matching requests pass.
    pub fn skip(self, n: u32) -> Rule {
        Rule { skip: n, ..self }
    }

    /// Misbehave `n` times only.
    pub fn times(self, n: u32) -> Rule {
        Rule { times: Some(n), ..self }
    }

    /// Misbehave after the request was acted on.
    pub fn after(self) -> Rule {
        Rule { after: true, ..self }
    }

    fn meets(&self, request: &Request, user: Option<&str>) -> bool {
        let place = format!("{}?{}", request.path, request.query_text);
        self.host.is_none_or(|host| host == request.host)
            && self.path.as_ref().is_none_or(|part| place.contains(part.as_str()))
            && self.method.as_ref().is_none_or(|method| request.method.as_str().eq_ignore_ascii_case(method))
            && self.user.as_ref().is_none_or(|wanted| user.is_some_and(|user| user.eq_ignore_ascii_case(wanted)))
    }
}

/// What happens to a request that a rule meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Effect {
    /// This status instead of the answer.
    Status {
        /// HTTP status.
        status: u16,
        /// Value of `Retry-After`: seconds, or an HTTP date.
        #[serde(default)]
        retry_after: Option<String>,
        /// What stands in the body.
        #[serde(default)]
        body: Body,
    },
    /// 403 with Cloudflare's challenge page.
    CloudflareChallenge,
    /// 429 with Cloudflare's page 1015: the address is banned for a while.
    #[serde(rename = "cloudflare_1015")]
    Cloudflare1015,
    /// 200 with `{"error": {"status-code": "429"}}`.
    #[serde(rename = "throttled_in_200")]
    ThrottledIn200,
    /// 200 with a maintenance page.
    #[serde(rename = "html_200")]
    Html200,
    /// The real answer with its full `Content-Length`, cut in the middle of the body.
    HalfBody,
    /// The real answer at once, its body in pieces over this time.
    Slow {
        /// Milliseconds.
        ms: u64,
    },
    /// Nothing for this long, then the connection closes.
    Hang {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection closes at once without an answer.
    Reset,
    /// The real answer, this much later.
    Late {
        /// Milliseconds.
        ms: u64,
    },
    /// 302 to another place.
    Redirect {
        /// Value of `Location`.
        to: String,
    },
}

/// The body of an [`Effect::Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// `{"message": "HTTP 503 …", "error": "…"}`.
    #[default]
    Json,
    /// A page.
    Html,
    /// Nothing.
    Empty,
}

impl Effect {
    /// A status with a JSON body.
    pub fn status(status: u16) -> Effect {
        Effect::Status { status, retry_after: None, body: Body::Json }
    }

    /// 429 with `Retry-After` in seconds.
    pub fn throttled(retry_after_s: u32) -> Effect {
        Effect::Status { status: 429, retry_after: Some(retry_after_s.to_string()), body: Body::Json }
    }

    /// Hangs, then closes the connection.
    pub fn hang(time: Duration) -> Effect {
        Effect::Hang { ms: millis(time) }
    }

    /// Answers later.
    pub fn late(time: Duration) -> Effect {
        Effect::Late { ms: millis(time) }
    }

    /// Answers at once and takes this long over the body.
    pub fn slow(time: Duration) -> Effect {
        Effect::Slow { ms: millis(time) }
    }

    /// The answer that takes the place of the real one; `None` for effects on the connection or on the real answer.
    pub(crate) fn instead(&self) -> Option<Reply> {
        Some(match self {
            Effect::Status { status, retry_after, body } => {
                let reply = match body {
                    Body::Json => Reply::exception(*status),
                    Body::Html => Reply::html(*status, pages::MAINTENANCE),
                    Body::Empty => Reply::empty(*status),
                };
                match retry_after {
                    Some(value) => reply.with("retry-after", value.clone()),
                    None => reply,
                }
            }
            Effect::CloudflareChallenge => challenge(),
            Effect::Cloudflare1015 => banned(),
            Effect::ThrottledIn200 => throttled_in_200(),
            Effect::Html200 => Reply::html(200, pages::MAINTENANCE),
            Effect::Redirect { to } => Reply::empty(302).with("location", to.clone()),
            Effect::HalfBody | Effect::Slow { .. } | Effect::Hang { .. } | Effect::Reset | Effect::Late { .. } => {
                return None;
            }
        })
    }
}

pub(crate) fn challenge() -> Reply {
    Reply::html(403, pages::CHALLENGE).with("server", "cloudflare").with("cf-mitigated", "challenge")
}

pub(crate) fn banned() -> Reply {
    Reply::html(429, pages::BANNED_1015).with("server", "cloudflare")
}

pub(crate) fn throttled_in_200() -> Reply {
    Reply::json(200, &json!({"error": {"status-code": "429", "request-id": "fake"}}))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The rules in force; the first that meets a request decides.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<(Rule, u32)>,
}

impl Rules {
    pub fn add(&mut self, rule: Rule) {
        self.rules.push((rule, 0));
    }

    pub fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rule this request falls under. Counts the meeting.
    pub fn pick(&mut self, request: &Request, user: Option<&str>) -> Option<Rule> {
        for (rule, met) in &mut self.rules {
            if rule.meets(request, user) && rule.times.is_none_or(|times| *met < rule.skip.saturating_add(times)) {
                *met += 1;
                if *met > rule.skip {
                    return Some(rule.clone());
                }
            }
        }
        None
    }
}
