//! A browser at `/sso/…`, for the tests of the widget and of the page for tickets: it keeps cookies, the page it shows
//! and that page's `_csrf`.

use std::collections::BTreeMap;

use garminsync_test_support::fake::FakeGarmin;
use serde_json::Value;

use crate::client::{ANA, Answer, Call, PASSWORD, encoded, form};

pub const EMBED: &str = "https://sso.garmin.com/sso/embed";
const HOST: &str = "https://sso.garmin.com/sso";
const PAGE: &str = "/sso/sso/embed";

pub struct Browser<'a> {
    pub fake: &'a FakeGarmin,
    pub query: String,
    pub cookies: BTreeMap<String, String>,
    pub page: String,
    pub csrf: String,
}

impl<'a> Browser<'a> {
    /// A browser that shows the widget's sign-in form.
    pub fn at_widget(fake: &'a FakeGarmin) -> Browser<'a> {
        let names =
            ["gauthHost", "service", "source", "redirectAfterAccountLoginUrl", "redirectAfterAccountCreationUrl"];
        let query = names.iter().fold("id=gauth-widget&embedWidget=true".to_owned(), |query, name| {
            query + &format!("&{name}={}", encoded(EMBED))
        });
        let embed =
            Call::get(fake, &format!("{PAGE}?id=gauth-widget&embedWidget=true&gauthHost={}", encoded(HOST))).send();
        assert_eq!(embed.status, 200);
        let page = fake.base_url() + PAGE;
        let mut browser = Browser { fake, query, cookies: embed.cookies(), page, csrf: String::new() };
        let form = browser.open();
        assert_eq!((form.status, form.title().as_str()), (200, "GARMIN Authentication Application"));
        browser
    }

    /// A browser that asks for a ticket for this service.
    pub fn at_service(fake: &'a FakeGarmin, service: &str) -> Browser<'a> {
        let query = format!("service={}", encoded(service));
        Browser { fake, query, cookies: BTreeMap::new(), page: String::new(), csrf: String::new() }
    }

    pub fn open(&mut self) -> Answer {
        let path = format!("/sso/sso/signin?{}", self.query);
        let mut call = self.with_cookies(Call::get(self.fake, &path));
        if !self.page.is_empty() {
            call = call.header("referer", &self.page);
        }
        let answer = call.send();
        self.show(&path, &answer);
        answer
    }

    /// The sign-in form as it will be sent.
    pub fn filled_in(&self, password: &str) -> Call {
        let fields = [("username", ANA), ("password", password), ("embed", "true"), ("_csrf", self.csrf.as_str())];
        self.post(&format!("/sso/sso/signin?{}", self.query), &fields)
    }

    pub fn sign_in(&mut self) -> Answer {
        let answer = self.filled_in(PASSWORD).send();
        self.show(&format!("/sso/sso/signin?{}", self.query), &answer);
        answer
    }

    pub fn enter(&mut self, field: &str, code: &str) -> Answer {
        let path = format!("/sso/sso/verifyMFA/loginEnterMfaCode?{}", self.query);
        let fields =
            [(field, code), ("embed", "true"), ("_csrf", self.csrf.as_str()), ("fromPage", "setupEnterMfaCode")];
        let answer = self.post(&path, &fields).send();
        self.show(&path, &answer);
        answer
    }

    /// What the page's "send a code" does.
    pub fn request_code(&self, client_id: &str, body: &Value) -> Answer {
        let path = format!("/sso/sso/verifyMFA/mfaCode?clientId={client_id}");
        let call = Call::new(self.fake, "POST", &path).header("content-type", "application/json").body(body);
        self.with_cookies(call).send()
    }

    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let call = Call::new(self.fake, "POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("referer", &self.page)
            .body(form(fields));
        self.with_cookies(call)
    }

    fn with_cookies(&self, call: Call) -> Call {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if cookies.is_empty() { call } else { call.header("cookie", &cookies.join("; ")) }
    }

    fn show(&mut self, path: &str, answer: &Answer) {
        self.cookies.extend(answer.cookies());
        if let Some(csrf) = answer.between("name=\"_csrf\" value=\"", "\"") {
            assert_ne!(csrf, self.csrf, "it changes with each page");
            self.csrf = csrf;
            self.page = self.fake.base_url() + path;
        }
    }
}
