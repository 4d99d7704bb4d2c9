//! What people paste, and what must become of it.

use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;
use crate::Settings;

const TICKET: &str = "ST-0000001-aBcDeFgHiJkLmNoPqRsT-cas";
const ANDROID: &str = "https://mobile.integration.garmin.com/gcm/android";
const EMBED: &str = "https://sso.garmin.com/sso/embed";
const IOS: &str = "https://mobile.integration.garmin.com/gcm/ios";

/// The ticket and every service URL it may be exchanged with, in order.
fn pasted(text: &str) -> Result<(String, Vec<String>), NotATicket> {
    let ticket = read(text, Domain::Com)?;
    let mut services = vec![ticket.service_url];
    services.extend(ticket.other_service_urls);
    Ok((ticket.ticket.expose_secret().to_owned(), services))
}

fn of(service: &str) -> Result<(String, Vec<String>), NotATicket> {
    Ok((TICKET.into(), vec![service.into()]))
}

#[test]
fn the_address_to_open_is_the_regions() {
    let at = |domain| Garmin::new(Settings::of(domain)).unwrap().browser_address();
    assert_eq!(
        at(Domain::Com),
        "https://sso.garmin.com/sso/signin?service=https%3A%2F%2Fmobile.integration.garmin.com%2Fgcm%2Fandroid"
    );
    assert_eq!(
        at(Domain::Cn),
        "https://sso.garmin.cn/sso/signin?service=https%3A%2F%2Fmobile.integration.garmin.cn%2Fgcm%2Fandroid"
    );
}

#[test]
fn a_whole_address_gives_its_own_service_and_no_other() {
    for service in [ANDROID, EMBED, IOS] {
        assert_eq!(pasted(&format!("{service}?ticket={TICKET}")), of(service));
    }
    let android = format!("{ANDROID}?ticket={TICKET}");
    for text in [
        format!("  {android}\r\n"),
        format!("\"{android}\""),
        format!("'{android}'"),
        format!("<{android}>"),
        format!("\u{1b}[200~{android}\u{1b}[201~"),
        format!("{android}#_=_"),
        android.trim_start_matches("https://").to_owned(),
        android.replace(TICKET, "ST%2D0000001%2DaBcDeFgHiJkLmNoPqRsT%2Dcas"),
        byte_serialize(android.as_bytes()).collect(),
        format!("{}\n{}\n", &android[..30], &android[30..]),
        format!("{}\r\n    {}", &android[..70], &android[70..]),
        format!("the page says {android}, it cannot be reached"),
    ] {
        assert_eq!(pasted(&text), of(ANDROID), "{text}");
    }
}

#[test]
fn only_the_ticket_is_taken_out_of_an_address() {
    for (query, rest) in [
        (format!("a=1&ticket={TICKET}"), "?a=1"),
        (format!("ticket={TICKET}&b=%2F"), "?b=%2F"),
        (format!("a=%20&ticket={TICKET}&b=+"), "?a=%20&b=+"),
    ] {
        assert_eq!(pasted(&format!("{ANDROID}?{query}")), of(&format!("{ANDROID}{rest}")), "{query}");
    }
}

#[test]
fn a_bare_ticket_is_tried_with_every_service_it_may_be_of() {
    let all = Ok((TICKET.to_owned(), vec![ANDROID.to_owned(), EMBED.to_owned(), IOS.to_owned()]));
    for text in [
        TICKET.to_owned(),
        format!("\n {TICKET} \n"),
        format!("\"{TICKET}\""),
        format!("ticket={TICKET}"),
        format!("?ticket={TICKET}"),
        format!("{}\n{}", &TICKET[..12], &TICKET[12..]),
    ] {
        assert_eq!(pasted(&text), all, "{text}");
    }
}

#[test]
fn the_source_of_the_success_page_holds_it() {
    for text in [
        format!("embed?ticket={TICKET}"),
        format!("embed?ticket={TICKET}\""),
        format!("<script>var response_url = \"https:\\/\\/sso.garmin.com\\/sso\\/embed?ticket={TICKET}\";</script>"),
        format!("<html>\n<title>Success</title>\n<a href='{EMBED}?ticket={TICKET}'>on</a>\n<p>{TICKET}</p></html>"),
        format!("{{\"serviceUrl\": \"{EMBED}\", \"serviceTicket\": \"{TICKET}\"}}"),
    ] {
        assert_eq!(pasted(&text), of(EMBED), "{text}");
    }
    let json = format!("{{\"serviceURL\":\"{IOS}\",\"serviceTicketId\":\"{TICKET}\",\"responseStatus\":{{}}}}");
    assert_eq!(pasted(&json), of(IOS), "the answer that a browser's developer tools show");
}

#[test]
fn what_cannot_work_is_told_apart() {
    use NotATicket::*;
    let with = |address: &str| format!("{address}?ticket={TICKET}");
    for (text, why) in [
        (String::new(), Nothing),
        (" \n\t".into(), Nothing),
        ("correct horse".into(), NoTicket),
        ("ST-".into(), NoTicket),
        (ANDROID.into(), NoTicket),
        (format!("{ANDROID}?ticket="), NoTicket),
        (format!("{ANDROID}?ticket=TGT-1-abc"), NoTicket),
        (Garmin::new(Settings::of(Domain::Com)).unwrap().browser_address(), TheWayThere),
        ("http://127.0.0.1:8899/sso/sso/signin?service=https%3A%2F%2Fx".into(), TheWayThere),
        (with("https://connect.garmin.com/app"), WebApp),
        ("https://connect.garmin.com/modern/".into(), WebApp),
        (format!("{{\"serviceURL\":\"https://connect.garmin.com/app\",\"serviceTicketId\":\"{TICKET}\"}}"), WebApp),
        (with("https://mobile.integration.garmin.cn/gcm/android"), OtherRegion(Domain::Cn)),
        (with("https://connect.garmin.cn/app"), OtherRegion(Domain::Cn)),
        (with("https://elsewhere.example/gcm/android"), Foreign),
        (with("https://mobile.integration.garmin.com.elsewhere.example/gcm/android"), Foreign),
        (with("https://notgarmin.com/gcm/android"), Foreign),
        (with("https://mobile.integration.garmin.com/gcm/android/"), Foreign),
        (with("https://mobile.integration.garmin.com/gcm/other"), Foreign),
        (with("http://mobile.integration.garmin.com/gcm/android"), Foreign),
        (with("https://mobile.integration.garmin.com:8443/gcm/android"), Foreign),
        (with("https://me@mobile.integration.garmin.com/gcm/android"), Foreign),
        (with("https://sso.garmin.com/sso/login"), Foreign),
        (format!("{ANDROID}?ticket={TICKET}&ticket={TICKET}x"), Several),
        (format!("one {TICKET} two {TICKET}x"), Several),
        ("x".repeat(LONGEST + 1), TooLong),
        (format!("ST-{}", "a".repeat(300)), NoTicket),
    ] {
        assert_eq!(pasted(&text), Err(why), "{text}");
    }
    let chinese =
        read(&format!("https://mobile.integration.garmin.cn/gcm/android?ticket={TICKET}"), Domain::Cn).unwrap();
    assert_eq!(chinese.service_url, "https://mobile.integration.garmin.cn/gcm/android");
}

#[test]
fn the_words_repeat_nothing_of_the_paste() {
    let text = format!("https://elsewhere.example/?ticket={TICKET}");
    let why = pasted(&text).unwrap_err().to_string();
    assert!(!why.contains("elsewhere") && !why.contains(TICKET), "{why}");
}

proptest! {
    /// Whatever is pasted: no panic, and only Garmin's own services of the region come out, with a ticket that was in it.
    #[test]
    fn only_garmins_own_services_come_out(text in ".{0,300}|(https?://)?[a-z.]{0,20}(garmin\\.(com|cn))?/[a-z/]{0,20}\\?(&?(ticket|a)=(ST-)?[%a-zA-Z0-9-]{0,12}){0,3}") {
        if let Ok((ticket, services)) = pasted(&text) {
            prop_assert!(is_ticket(&ticket));
            for service in services {
                prop_assert!(acceptable(&service, Domain::Com).is_ok(), "{}", service);
                prop_assert!(!service.contains(&ticket));
            }
        }
    }

    /// A ticket of any form, broken anywhere, wrapped in anything: the same ticket.
    #[test]
    fn a_break_anywhere_does_not_matter(rest in "[A-Za-z0-9][A-Za-z0-9-]{8,60}", cut in 1usize..90, end in "\r?\n {0,4}") {
        let address = format!("{ANDROID}?ticket=ST-{rest}");
        let cut = cut.min(address.len() - 1);
        let broken = format!("{}{end}{}", &address[..cut], &address[cut..]);
        prop_assert_eq!(pasted(&broken), Ok((format!("ST-{rest}"), vec![ANDROID.to_owned()])));
    }
}
