//! The sign-in that a person does in their own browser: the address it begins at, and the ticket in what they paste afterwards. The
//! account room prints the one and exchanges the other. Pure: nothing is sent from here, and nothing is ever requested from a
//! pasted address.
//!
//! Garmin redirects a browser that is signed in to the service URL with `?ticket=ST-…` behind it. The phone app's service has
//! no host on the open network, so its page cannot load and the ticket stays unspent in the address bar.

use secrecy::SecretString;
use url::{
    Url,
    form_urlencoded::{byte_serialize, parse},
};

use crate::{Domain, Garmin, Ticket};

/// The longest text that is looked through, in bytes. The source of Garmin's "Success" page is a few kilobytes.
const LONGEST: usize = 64 * 1024;
/// The longest ticket, in bytes. Garmin's have about forty; services of this kind promise at most 256.
const LONGEST_TICKET: usize = 256;

/// Why a pasted text cannot be exchanged. Nothing was sent. The words are for people, and repeat nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotATicket {
    /// Blanks, or nothing at all.
    #[error("nothing was pasted")]
    Nothing,
    /// Something else.
    #[error(
        "that holds no ticket: a ticket begins with ST-, and stands in the address of the page that could not load"
    )]
    NoTicket,
    /// The address that leads to a ticket.
    #[error(
        "that is the address to open; the ticket is in the address of the page it leads to, the one that cannot load"
    )]
    TheWayThere,
    /// The web app's page.
    #[error(
        "that is Garmin Connect's own page, and a ticket in its address has been used by that page already; \
         open the address that was printed, and copy the address of the page it leads to"
    )]
    WebApp,
    /// The other one of Garmin's two worlds.
    #[error("that is an address of {0}, and this account is one of the other region")]
    OtherRegion(Domain),
    /// No service of Garmin's that gives out usable tickets.
    #[error("that address is none that Garmin gives out a usable ticket for")]
    Foreign,
    /// More tickets than one.
    #[error("that holds more than one ticket, and which one is meant cannot be known")]
    Several,
    /// More text than any page that holds a ticket.
    #[error("that is too long for an address or a ticket")]
    TooLong,
}

impl Garmin {
    /// Where a person whose browser is signed in to Garmin Connect gets a ticket.
    pub fn browser_address(&self) -> String {
        let endpoints = &self.settings.endpoints;
        let [android, ..] = services(endpoints.domain);
        let service: String = byte_serialize(android.as_bytes()).collect();
        format!("{}/sso/signin?service={service}", endpoints.sso)
    }

    /// The ticket in what a person pasted: the address of the page that could not load, the bare ticket, or a piece of the source of
    /// Garmin's "Success" page.
    ///
    /// # Errors
    /// Why it holds none that could be exchanged for this region's tokens.
    pub fn pasted(&self, text: &str) -> Result<Ticket, NotATicket> {
        read(text, self.settings.endpoints.domain)
    }
}

/// The service URLs whose tickets can be exchanged, the likeliest first: the one of the printed address, the one of the "Success"
/// page, the one of the other phone app.
fn services(domain: Domain) -> [String; 3] {
    [
        format!("https://mobile.integration.{domain}/gcm/android"),
        format!("https://sso.{domain}/sso/embed"),
        format!("https://mobile.integration.{domain}/gcm/ios"),
    ]
}

fn read(pasted: &str, domain: Domain) -> Result<Ticket, NotATicket> {
    if pasted.len() > LONGEST {
        return Err(NotATicket::TooLong);
    }
    let text = smooth(pasted);
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "\"'<>`“”‘’„«»()[]{},;".contains(c)).collect();
    let mut found: Vec<(String, Option<String>)> = Vec::new();
    let mut wrong = None;
    let mut service = None;
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        match look_at(word, domain) {
            Look::Ticket { ticket, service } => match found.iter_mut().find(|(known, _)| *known == ticket) {
                Some((_, known)) => *known = known.take().or(service),
                None => found.push((ticket, service)),
            },
            Look::Service => service = service.or(Some(word.to_owned())),
            Look::Wrong(why) => wrong = wrong.or(Some(why)),
            Look::Nothing => {}
        }
    }
    match (&mut found[..], wrong) {
        // The web app's answer, as developer tools show it.
        ([(_, None)], Some(NotATicket::WebApp)) if service.is_none() => Err(NotATicket::WebApp),
        ([(ticket, own)], _) => Ok(ticket_for(ticket, own.take().or(service), domain)),
        ([_, ..], _) => Err(NotATicket::Several),
        ([], Some(why)) => Err(why),
        ([], None) if text.trim().is_empty() => Err(NotATicket::Nothing),
        ([], None) => Err(NotATicket::NoTicket),
    }
}

/// With the service URL it came with, else with each that is likely.
fn ticket_for(ticket: &str, service: Option<String>, domain: Domain) -> Ticket {
    let ticket = SecretString::from(ticket.to_owned());
    match service {
        Some(service_url) => Ticket { service_url, other_service_urls: Vec::new(), ticket },
        None => {
            let [service_url, embed, ios] = services(domain);
            Ticket { service_url, other_service_urls: vec![embed, ios], ticket }
        }
    }
}

/// The text without what terminals, browsers and pages add to it: the marks around a paste, breaks within a line that was too
/// wide, and the escapes of HTML and scripts.
fn smooth(pasted: &str) -> String {
    let text = pasted.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "").replace('\u{feff}', "");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    // One address over several lines has no blanks; a page has.
    let broken = lines.iter().all(|line| !line.contains(|c: char| c.is_whitespace() || "<\"".contains(c)));
    let text = lines.join(if broken { "" } else { " " });
    text.replace("\\/", "/").replace("\\u0026", "&").replace("&amp;", "&")
}

enum Look {
    Ticket {
        ticket: String,
        service: Option<String>,
    },
    /// A service URL without its ticket, as it stands beside the ticket in the answers of Garmin's scripts.
    Service,
    Wrong(NotATicket),
    Nothing,
}

fn look_at(word: &str, domain: Domain) -> Look {
    let lower = word.get(..12).unwrap_or(word).to_ascii_lowercase();
    if lower.starts_with("https%3a") || lower.starts_with("http%3a") {
        // The whole address in its encoded form, as it stands within another's query.
        let decoded = parse(word.as_bytes()).next().map(|(whole, _)| whole.into_owned()).unwrap_or_default();
        return if decoded.starts_with("http") && decoded.contains("://") {
            look_at(&decoded, domain)
        } else {
            Look::Nothing
        };
    }
    if is_ticket(word) {
        return Look::Ticket { ticket: word.to_owned(), service: None };
    }
    // A fragment stays in the browser; Garmin never saw it, so it is no part of the service.
    let word = word.split('#').next().unwrap_or_default();
    let (address, query) = match word.split_once('?') {
        Some((address, query)) => (address, query),
        None if word.contains("://") => (word, ""),
        None => ("", word),
    };
    let (own, others): (Vec<&str>, Vec<&str>) =
        query.split('&').partition(|parameter| value_of_ticket(parameter).is_some());
    let tickets: Vec<String> = own.into_iter().filter_map(value_of_ticket).filter(|value| is_ticket(value)).collect();
    let address = whole(address, domain);
    match (&tickets[..], address) {
        ([], None) => Look::Nothing,
        ([], Some(address)) if address.ends_with("/sso/signin") => Look::Wrong(NotATicket::TheWayThere),
        ([], Some(_)) if !word.contains("://") => Look::Nothing,
        ([], Some(address)) => match acceptable(&address, domain) {
            Ok(()) if query.is_empty() => Look::Service,
            Ok(()) => Look::Wrong(NotATicket::NoTicket),
            Err(why) => Look::Wrong(why),
        },
        ([_, _, ..], _) => Look::Wrong(NotATicket::Several),
        ([ticket], None) => Look::Ticket { ticket: ticket.clone(), service: None },
        ([ticket], Some(address)) => {
            let rest = others.join("&");
            let service = if rest.is_empty() { address } else { format!("{address}?{rest}") };
            match acceptable(&service, domain) {
                Ok(()) => Look::Ticket { ticket: ticket.clone(), service: Some(service) },
                Err(why) => Look::Wrong(why),
            }
        }
    }
}

/// What a parameter says, if it is the ticket's.
fn value_of_ticket(parameter: &str) -> Option<String> {
    parse(parameter.as_bytes()).next().filter(|(name, _)| name == "ticket").map(|(_, value)| value.into_owned())
}

/// `ST-` and what such tickets are made of.
fn is_ticket(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    text.len() <= LONGEST_TICKET
        && text.strip_prefix("ST-").is_some_and(|rest| !rest.is_empty() && rest.chars().all(fits))
}

/// An address as its page has it: a browser may leave the scheme out, and the source of the "Success" page names itself.
fn whole(address: &str, domain: Domain) -> Option<String> {
    match address {
        "" => None,
        "embed" | "/sso/embed" => Some(format!("https://sso.{domain}/sso/embed")),
        address if address.contains("://") => Some(address.to_owned()),
        address => Some(format!("https://{address}")),
    }
}

/// Whether an address is a service of Garmin's whose tickets can be exchanged.
fn acceptable(service: &str, domain: Domain) -> Result<(), NotATicket> {
    let url = Url::parse(service).map_err(|_| NotATicket::Foreign)?;
    let host = url.host_str().unwrap_or_default();
    match Domain::of_host(host) {
        None => return Err(NotATicket::Foreign),
        Some(other) if other != domain => return Err(NotATicket::OtherRegion(other)),
        Some(_) => {}
    }
    if host == format!("connect.{domain}") || host == format!("www.{domain}") {
        return Err(NotATicket::WebApp);
    }
    let plain =
        url.scheme() == "https" && url.port().is_none() && url.username().is_empty() && url.password().is_none();
    let known = services(domain)
        .iter()
        .filter_map(|known| Url::parse(known).ok())
        .any(|known| known.host_str() == url.host_str() && known.path() == url.path());
    if plain && known { Ok(()) } else { Err(NotATicket::Foreign) }
}

#[cfg(test)]
#[path = "browser_test.rs"]
mod tests;
