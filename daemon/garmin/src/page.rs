//! What the pages of the embed widget mean: pure functions from an answer to what it says or an [`Error`]. The widget
//! module asks them. The signs (titles, script variables) and their order are what other clients have found to work; pages
//! are read as a browser's tokenizer reads them, so that quotes, order of attributes, entities and comments do not matter.

use html5gum::{DefaultEmitter, Token, Tokenizer};

use crate::{
    Error,
    answers::{self, tidy},
    client::Reply,
};

/// The title of the sign-in form, and of the page for a code by e-mail or text message too.
const FORM: &str = "GARMIN Authentication Application";

/// What an answer to one of the widget's forms can bring besides an error.
#[derive(Debug, PartialEq)]
pub(crate) enum Shown {
    /// A service ticket.
    Ticket(String),
    /// The page that wants a code.
    Code(CodePage),
    /// The sign-in form, as if nothing had been filled in.
    Form,
}

/// The page that wants a code: its hidden field, and the variables of its script.
#[derive(Debug, PartialEq)]
pub(crate) struct CodePage {
    pub csrf: String,
    pub method: String,
    /// Where a code was sent; `None` if none was sent yet, or an app makes it.
    pub sent_to: Option<String>,
    pub customer_guid: Option<String>,
    pub locale: Option<String>,
    pub client_id: Option<String>,
}

/// The hidden `_csrf` of the sign-in form.
pub(crate) fn sign_in_form(reply: &Reply) -> Result<String, Error> {
    answers::page(reply)?;
    Page::read(&reply.body).csrf.ok_or_else(|| Error::unexpected("a sign-in page without its form"))
}

/// The answer to a form: e-mail address and password, or a code.
pub(crate) fn shown(reply: &Reply) -> Result<Shown, Error> {
    answers::edge(reply)?;
    let page = Page::read(&reply.body);
    let title = page.title.to_ascii_lowercase();
    let says = |words: &str| title.contains(words);
    let is_form = title == FORM.to_ascii_lowercase();
    if title == "success" {
        let ticket = ticket(&String::from_utf8_lossy(&reply.body));
        return ticket.map(Shown::Ticket).ok_or_else(|| Error::unexpected("a sign-in that succeeded without a ticket"));
    }
    let method = page.variable("mfaMethod").filter(|method| !method.is_empty());
    if says("mfa") || (is_form && method.is_some()) {
        return page.code(method).map(Shown::Code);
    }
    if says("locked") {
        return Err(Error::AccountLocked { kind: tidy(&page.title), message: String::new() });
    }
    if says("invalid") || says("incorrect") {
        return Err(Error::InvalidCredentials);
    }
    if says("account error") {
        return Err(Error::SignInStopped { kind: tidy(&page.title), message: String::new() });
    }
    if says("unable to sign in") {
        return Err(Error::DeniedByPolicy { said: tidy(&page.title) });
    }
    match reply.status {
        status @ (408 | 500..=599) => Err(Error::ServerTrouble { status }),
        _ if says("bad gateway") => Err(Error::ServerTrouble { status: 502 }),
        409 => Err(Error::SessionLost),
        300..=399 => Err(Error::unexpected("a redirect")),
        _ if is_form => Ok(Shown::Form),
        status if page.title.is_empty() => {
            Err(Error::unexpected(format!("a page without a title that nobody knows (HTTP {status})")))
        }
        status => Err(Error::unexpected(format!("a page that nobody knows (HTTP {status}, {})", tidy(&page.title)))),
    }
}

/// The ticket in a text that holds `…/embed?ticket=ST-…`.
pub(crate) fn ticket(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("ticket=ST-")?;
    let end = rest.find(|c: char| c.is_whitespace() || "\"'&<>\\#".contains(c)).unwrap_or(rest.len());
    (end > 0).then(|| format!("ST-{}", &rest[..end]))
}

/// The parts of a page that carry a sign.
#[derive(Default)]
struct Page {
    title: String,
    csrf: Option<String>,
    scripts: String,
}

impl Page {
    fn read(body: &[u8]) -> Self {
        let mut emitter = DefaultEmitter::default();
        emitter.naively_switch_states(true); // what stands in scripts and titles is no markup
        let mut page = Page::default();
        let mut inside = Vec::new();
        for Ok(token) in Tokenizer::new_with_emitter(body, emitter) {
            match token {
                Token::StartTag(tag) => {
                    let attribute = |name: &[u8]| tag.attributes.get(name).map(|value| text(&value.value));
                    let is_csrf = tag.name.as_slice() == b"input" && attribute(b"name").as_deref() == Some("_csrf");
                    if is_csrf && page.csrf.is_none() {
                        page.csrf = attribute(b"value").filter(|value| !value.is_empty());
                    }
                    inside = tag.name.0;
                }
                Token::EndTag(_) => inside.clear(),
                Token::String(words) if inside == b"title" && page.title.is_empty() => {
                    page.title = text(&words.value).split_whitespace().collect::<Vec<_>>().join(" ");
                }
                Token::String(words) if inside == b"script" => {
                    page.scripts += &text(&words.value);
                    page.scripts.push('\n');
                }
                _ => {}
            }
        }
        page
    }

    fn code(&self, method: Option<String>) -> Result<CodePage, Error> {
        let variable = |name| self.variable(name).filter(|value: &String| !value.is_empty());
        // Without its form no code can be brought; but one may be on its way, so this is not a page to go on from.
        let csrf = self
            .csrf
            .clone()
            .ok_or_else(|| Error::AnswerLost { what: "a page for the code without its form".into() })?;
        Ok(CodePage {
            csrf,
            // The page that names no method is the authenticator app's.
            method: method.map_or_else(|| "totp".into(), |method| answers::name(&method)),
            sent_to: variable("codeSentTo").map(|to| answers::name(&to)),
            customer_guid: variable("customerGuid"),
            locale: variable("locale"),
            client_id: variable("clientId"),
        })
    }

    /// The text that a script gives to a variable, or a field of an object, of this name.
    fn variable(&self, name: &str) -> Option<String> {
        self.scripts.match_indices(name).find_map(|(at, _)| {
            let (before, after) = (&self.scripts[..at], &self.scripts[at + name.len()..]);
            let quote = before.chars().next_back();
            if quote.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
                return None;
            }
            let after = match quote {
                Some(quote @ ('"' | '\'')) => after.strip_prefix(quote)?,
                _ => after,
            };
            let value = after.trim_start().strip_prefix(['=', ':'])?.trim_start();
            let quote = value.chars().next().filter(|c| "\"'`".contains(*c))?;
            literal(&value[1..], quote)
        })
    }
}

/// A script's text up to its closing quote, its escapes resolved.
fn literal(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            c if c == quote => return Some(value),
            '\n' => return None,
            '\\' => match rest.next()? {
                escape @ ('u' | 'x') => {
                    let digits: String = rest.by_ref().take(if escape == 'u' { 4 } else { 2 }).collect();
                    value.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                }
                plain => value.push(plain),
            },
            c => value.push(c),
        }
    }
    None
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[path = "page_test.rs"]
mod tests;
