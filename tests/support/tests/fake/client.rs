//! The smallest HTTP client that can be wrong on purpose: it sends exactly the headers it is given.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use garminsync_test_support::fake::{FakeGarmin, Host, Options};
use garminsync_test_support::people::{Person, SignInMood};
use serde_json::{Value, json};

pub const ANA: &str = "ana@example.org";
pub const PASSWORD: &str = "ana-password";
pub const ANDROID: &str = "https://mobile.integration.garmin.com/gcm/android";
pub const CLIENT_ID: &str = "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2";
pub const TOKEN: &str = "/diauth/di-oauth2-service/oauth/token";

/// A fake that knows Ana, who signs in like this.
pub fn fake(mood: SignInMood) -> FakeGarmin {
    let fake = FakeGarmin::start_blocking(Options::default()).unwrap();
    fake.add(Person::named(ANA).mood(mood));
    fake
}

/// A request under construction.
#[derive(Clone)]
pub struct Call {
    address: String,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// As many bytes came as were announced.
    pub complete: bool,
}

impl Call {
    pub fn new(fake: &FakeGarmin, method: &'static str, path: &str) -> Call {
        let address = fake.base_url().trim_start_matches("http://").to_owned();
        Call { address, method, path: path.to_owned(), headers: Vec::new(), body: String::new() }
    }

    pub fn get(fake: &FakeGarmin, path: &str) -> Call {
        Call::new(fake, "GET", path)
    }

    pub fn header(mut self, name: &str, value: &str) -> Call {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Call {
        let before = self.headers.len();
        self.headers.retain(|(known, _)| known != name);
        assert!(self.headers.len() < before, "{name} was not there");
        self
    }

    pub fn replace(self, name: &str, value: &str) -> Call {
        self.without(name).header(name, value)
    }

    pub fn path(self, path: &str) -> Call {
        Call { path: path.to_owned(), ..self }
    }

    pub fn body(self, body: impl ToString) -> Call {
        Call { body: body.to_string(), ..self }
    }

    /// `None`: the connection closed without an answer.
    pub fn try_send(&self) -> Option<Answer> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "host") {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        stream.write_all(text.as_bytes()).ok()?;
        let mut bytes = Vec::new();
        // A broken connection leaves what came before it.
        let _ = stream.read_to_end(&mut bytes);
        Answer::read(&bytes)
    }

    pub fn send(&self) -> Answer {
        self.try_send().unwrap()
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Answer> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        let announced = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.parse().ok());
        let complete = announced.flatten().is_none_or(|length: usize| length == body.len());
        Some(Answer { status, headers, body, complete })
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The cookies it sets.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        let lines = self.all("set-cookie");
        let pairs = lines.iter().map(|line| line.split(';').next().unwrap().split_once('=').unwrap());
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What stands between these two texts of its body.
    pub fn between(&self, before: &str, after: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(before)?;
        Some(rest.split_once(after)?.0.to_owned())
    }

    pub fn title(&self) -> String {
        self.between("<title>", "</title>").unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn kind(&self) -> String {
        self.json()["responseStatus"]["type"].as_str().unwrap().to_owned()
    }
}

/// A sign-in page that was opened, and how its flow goes on.
pub struct Page {
    pub base: String,
    pub flow: &'static str,
    pub query: String,
    pub referer: String,
    pub cookies: BTreeMap<String, String>,
}

impl Page {
    pub fn mobile(fake: &FakeGarmin) -> Page {
        Page::open(fake, "mobile", "en_US", "GCM_ANDROID_DARK", ANDROID)
    }

    pub fn portal(fake: &FakeGarmin) -> Page {
        Page::open(fake, "portal", "en-US", "GarminConnect", "https://connect.garmin.com/app")
    }

    fn open(fake: &FakeGarmin, flow: &'static str, locale: &str, client_id: &str, service: &str) -> Page {
        let query = format!("clientId={client_id}&service={}", encoded(service));
        let path = format!("/sso/{flow}/sso/{locale}/sign-in?{query}");
        let page = Call::get(fake, &path).send();
        assert_eq!(page.status, 200);
        Page {
            base: fake.base_url(),
            flow,
            query: format!("{query}&locale=en-US"),
            referer: fake.base_url() + &path,
            cookies: page.cookies(),
        }
    }

    /// A complete JSON POST below `/sso/{flow}/api/`.
    pub fn post(&self, fake: &FakeGarmin, what: &str, body: &Value) -> Call {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Call::new(fake, "POST", &format!("/sso/{}/api/{what}?{}", self.flow, self.query))
            .header("content-type", "application/json")
            .header("origin", &self.base)
            .header("referer", &self.referer)
            .header("cookie", &cookies.join("; "))
            .body(body)
    }

    pub fn login(&self, fake: &FakeGarmin) -> Call {
        self.login_with(fake, PASSWORD)
    }

    pub fn login_with(&self, fake: &FakeGarmin, password: &str) -> Call {
        let body = json!({"username": ANA, "password": password, "rememberMe": true, "captchaToken": ""});
        self.post(fake, "login", &body)
    }

    pub fn verify(&self, fake: &FakeGarmin, code: &str) -> Call {
        self.post(fake, "mfa/verifyCode", &code_body("email", code))
    }
}

pub fn code_body(method: &str, code: &str) -> Value {
    json!({"mfaMethod": method, "mfaVerificationCode": code, "rememberMyBrowser": true, "reconsentList": [],
           "mfaSetup": false})
}

/// The code that was mailed last.
pub fn last_code(fake: &FakeGarmin) -> String {
    fake.mail(ANA).last().unwrap().code.clone()
}

/// A code that is not this one.
pub fn other_code(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

pub fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A call with the native app's headers.
pub fn native(call: Call) -> Call {
    call.header("user-agent", "GCM-Android-5.23")
        .header("x-garmin-user-agent", "com.garmin.android.apps.connectmobile/5.23")
        .header("x-garmin-paired-app-version", "10861")
        .header("x-garmin-client-platform", "Android")
        .header("x-app-ver", "10861")
        .header("x-lang", "en")
        .header("x-gcexperience", "GC5")
        .header("accept-language", "en-US,en;q=0.9")
}

/// A complete token call with this form.
pub fn token_call(fake: &FakeGarmin, client_id: &str, fields: &[(&str, &str)]) -> Call {
    use base64::Engine;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{client_id}:"));
    let mut fields = fields.to_vec();
    fields.push(("client_id", client_id));
    native(Call::new(fake, "POST", TOKEN))
        .header("authorization", &format!("Basic {basic}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&fields))
}

pub fn exchange(fake: &FakeGarmin, ticket: &str, service_url: &str) -> Call {
    let grant = "https://connectapi.garmin.com/di-oauth2-service/oauth/grant/service_ticket";
    token_call(fake, CLIENT_ID, &[("grant_type", grant), ("service_ticket", ticket), ("service_url", service_url)])
}

pub fn refresh(fake: &FakeGarmin, token: &str) -> Call {
    token_call(fake, CLIENT_ID, &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

/// A data call of the account tier.
pub fn account(fake: &FakeGarmin, token: &str, path: &str) -> Call {
    native(Call::get(fake, &format!("/connectapi{path}")))
        .header("authorization", &format!("Bearer {token}"))
        .header("accept", "application/json")
}

/// A data call of the Personal tier.
pub fn personal(fake: &FakeGarmin, token: &str, path: &str) -> Call {
    Call::get(fake, &format!("/personal{path}"))
        .header("authorization", &format!("Bearer {token}"))
        .header("accept", "application/json")
}

/// A bearer of the Personal tier.
pub fn personal_token(fake: &FakeGarmin) -> String {
    let key = fake.person(ANA).unwrap().api_key;
    let answer = key_call(fake, &key).send();
    assert_eq!(answer.status, 200);
    answer.text()
}

pub fn key_call(fake: &FakeGarmin, key: &str) -> Call {
    let path = format!("/{}/personalapitoken-service/personal-api/personal-api-key/token", Host::Personal.prefix());
    Call::new(fake, "POST", &path).header("authorization", &format!("ApiKey {key}"))
}
