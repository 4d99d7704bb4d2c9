//! Every sign of the widget's pages, and pages as badly written as pages are.

use reqwest::header::HeaderMap;

use super::*;

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() }
}

fn titled(title: &str, body: &str) -> Reply {
    reply(200, &format!("<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"))
}

const CSRF: &str = "<input type=\"hidden\" name=\"_csrf\" value=\"c1\">";

#[test]
fn every_sign_in_its_order() {
    let script = format!("<script>var mfaMethod = \"email\";</script>{CSRF}");
    let code = |method: &str| {
        let page = CodePage {
            csrf: "c1".into(),
            method: method.into(),
            sent_to: None,
            customer_guid: None,
            locale: None,
            client_id: None,
        };
        Ok(Shown::Code(page))
    };
    let throttled = || Err(Error::Throttled { retry_after: None });
    let locked = |kind: &str| Err(Error::AccountLocked { kind: kind.into(), message: String::new() });
    let stopped = |kind: &str| Err(Error::SignInStopped { kind: kind.into(), message: String::new() });
    let success = "<script>var response_url = \"https://sso.garmin.com/sso/embed?ticket=ST-1-aB_c.d-cas\";</script>";
    for (answer, expected) in [
        (reply(429, "<title>Success</title>ticket=ST-1"), throttled()),
        (reply(427, ""), throttled()),
        (reply(403, "<title>Access denied | sso.garmin.com used Cloudflare to restrict access</title>"), throttled()),
        (reply(403, "<title>403</title>"), Err(Error::Challenged)),
        (titled("Just a moment...", ""), Err(Error::Challenged)),
        (titled("x", "<a href='/__cf_chl_f_tk'>"), Err(Error::Challenged)),
        (titled("Success", success), Ok(Shown::Ticket("ST-1-aB_c.d-cas".into()))),
        (titled("Success", ""), Err(Error::unexpected("a sign-in that succeeded without a ticket"))),
        (titled("Enter MFA code for login", CSRF), code("totp")),
        (titled("Enter MFA code for login", &script), code("email")),
        (titled(FORM, &script), code("email")),
        (titled("Account Locked", CSRF), locked("Account Locked")),
        (titled("Invalid Sign In", ""), Err(Error::InvalidCredentials)),
        (titled("Incorrect password", ""), Err(Error::InvalidCredentials)),
        (titled("Account Error", ""), stopped("Account Error")),
        (titled("Unable To Sign In", ""), Err(Error::DeniedByPolicy { said: "Unable To Sign In".into() })),
        (reply(502, "<title>502 Bad Gateway</title>"), Err(Error::ServerTrouble { status: 502 })),
        (reply(503, ""), Err(Error::ServerTrouble { status: 503 })),
        (titled("Bad Gateway", ""), Err(Error::ServerTrouble { status: 502 })),
        (reply(409, ""), Err(Error::SessionLost)),
        (titled(FORM, CSRF), Ok(Shown::Form)),
        (titled(FORM, &script.replace("\"email\"", "\"\"")), Ok(Shown::Form)),
        (reply(302, ""), Err(Error::unexpected("a redirect"))),
        (reply(200, ""), Err(Error::unexpected("a page without a title that nobody knows (HTTP 200)"))),
        (titled("Garmin Connect", ""), Err(Error::unexpected("a page that nobody knows (HTTP 200, Garmin Connect)"))),
    ] {
        let what = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
        assert_eq!(shown(&answer), expected, "{what}");
    }
}

#[test]
fn a_page_is_read_as_a_browser_reads_it() {
    let odd = "<!-- <title>Success</title> <input name=_csrf value=old> -->\
        <TITLE lang=en>\n  GARMIN&#32;Authentication\n Application </TITLE>\
        <SCRIPT type='text/javascript'>\
        if (mfaMethod == \"none\") {}; window.notmfaMethod = 'x'; \
        var mfaMethod='sms' , codeSentTo = `***42`;\
        var s = \"<input name='_csrf' value='of a script'><title>Success</title>\";\
        var settings = {\"customerGuid\" : \"g\\u002d1\\x2d2\\/3\", 'locale':'en_US', clientId: 'a\\'b'};</SCRIPT>\
        <form><input value='c&amp;&#x31;' data-x=\"a>b\" NAME=_csrf type=hidden /></form>";
    let Ok(Shown::Code(page)) = shown(&reply(200, odd)) else { panic!("{:?}", shown(&reply(200, odd))) };
    let expected = CodePage {
        csrf: "c&1".into(),
        method: "sms".into(),
        sent_to: Some("***42".into()),
        customer_guid: Some("g-1-2/3".into()),
        locale: Some("en_US".into()),
        client_id: Some("a'b".into()),
    };
    assert_eq!(page, expected);
}

#[test]
fn a_form_without_its_hidden_field_is_no_form() {
    assert_eq!(sign_in_form(&titled(FORM, CSRF)), Ok("c1".into()));
    for body in ["", "<input name=_csrf>", "<input name=_csrf value=''>", "<input name=csrf value=x>", "<script>"] {
        assert_eq!(sign_in_form(&titled(FORM, body)), Err(Error::unexpected("a sign-in page without its form")));
    }
    assert_eq!(sign_in_form(&reply(403, "<title>Just a moment...</title>")), Err(Error::Challenged));
    // A code may be on its way: no page to try another way in from.
    let lost = shown(&titled("Enter MFA code for login", ""));
    assert!(matches!(lost, Err(Error::AnswerLost { .. })), "{lost:?}");
}

#[test]
fn a_ticket_ends_where_a_url_ends() {
    for end in ["\"", "&x=1", " ", "'", "\\\"", "</a>", "\n", ""] {
        assert_eq!(ticket(&format!("x/embed?ticket=ST-12-abc-cas{end}")).as_deref(), Some("ST-12-abc-cas"), "{end:?}");
    }
    assert_eq!(ticket("embed?ticket=ST-"), None);
    assert_eq!(ticket("embed?ticket=PT-1"), None);
}

#[test]
fn bytes_that_are_no_page_break_nothing() {
    let mut rng = fastrand::Rng::with_seed(7);
    let parts = [
        "<title>",
        "</title>",
        "<script>",
        "var mfaMethod = \"",
        "\\u00",
        "<input name=_csrf value=",
        "MFA",
        ">",
        "\"",
        "é",
    ];
    for _ in 0..2_000 {
        let body: String = (0..rng.usize(0..30)).map(|_| parts[rng.usize(0..parts.len())]).collect();
        let _ = shown(&reply(200, &body));
    }
    let _ = shown(&Reply { status: 200, headers: HeaderMap::new(), body: vec![0xff; 1000].into() });
}
