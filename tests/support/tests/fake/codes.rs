//! Sign-in with a code: who gets it, how long it is good, and what ends it.

use std::time::Duration;

use garminsync_test_support::people::SignInMood;
use serde_json::json;

use crate::client::{ANA, ANDROID, Page, code_body, exchange, fake, last_code, other_code};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_code_comes_by_mail_and_opens_the_door_once() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::mobile(&fake);
    let answer = page.login(&fake).send();
    assert_eq!((answer.status, answer.kind().as_str()), (200, "MFA_REQUIRED"));
    let body = answer.json();
    assert_eq!(body["customerMfaInfo"]["mfaLastMethodUsed"], "email");
    assert_eq!(body["customerMfaInfo"]["email"], "an*****@example.org");
    assert!(body["serviceTicketId"].is_null() && answer.all("set-cookie").is_empty());

    let mail = fake.mail(ANA);
    assert_eq!(mail.len(), 1);
    assert_eq!((mail[0].code.len(), mail[0].sent_to.as_str()), (6, "an*****@example.org"));
    assert!(!answer.text().contains(&mail[0].code));

    let verify = page.verify(&fake, &mail[0].code);
    let done = verify.send();
    assert_eq!((done.status, done.kind().as_str()), (200, "SUCCESSFUL"));
    assert!(done.json().get("customerMfaInfo").is_none());
    assert!(done.all("set-cookie").iter().any(|cookie| cookie.starts_with("CASTGC=")));
    let ticket = done.json()["serviceTicketId"].as_str().unwrap().to_owned();
    assert_eq!(exchange(&fake, &ticket, ANDROID).send().status, 200);
    assert_eq!(verify.send().status, 409, "a code is good once");
}

#[test]
fn a_wrong_code_is_refused_and_the_login_goes_on() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::portal(&fake);
    page.login(&fake).send();
    let code = last_code(&fake);
    for _ in 0..2 {
        let answer = page.verify(&fake, &other_code(&code)).send();
        assert_eq!((answer.status, answer.kind().as_str()), (401, "INVALID_MFA_CODE"));
    }
    fake.knobs(|knobs| {
        knobs.wrong_code_status = 200;
        knobs.wrong_code_type = "MFA_FAILED".into();
    });
    let answer = page.verify(&fake, &other_code(&code)).send();
    assert_eq!((answer.status, answer.kind().as_str()), (200, "MFA_FAILED"));
    assert_eq!(page.verify(&fake, &code).send().status, 200);
}

#[test]
fn too_many_wrong_codes_end_the_login() {
    let fake = fake(SignInMood::MfaEmail);
    fake.knobs(|knobs| knobs.code_attempts = 2);
    let page = Page::mobile(&fake);
    page.login(&fake).send();
    let code = last_code(&fake);
    let statuses = [0, 1].map(|_| page.verify(&fake, &other_code(&code)).send().status);
    assert_eq!(statuses, [401, 401]);
    assert_eq!(page.verify(&fake, &code).send().status, 409);
}

#[test]
fn the_code_needs_the_logins_cookies() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::mobile(&fake);
    page.login(&fake).send();
    let code = last_code(&fake);
    let verify = page.verify(&fake, &code);
    assert_eq!(verify.clone().without("cookie").send().status, 409);
    assert_eq!(Page::mobile(&fake).verify(&fake, &code).send().status, 409, "another session");
    assert_eq!(verify.send().status, 200);
}

#[test]
fn a_newer_login_voids_the_older_code() {
    let fake = fake(SignInMood::MfaEmail);
    let (older, newer) = (Page::mobile(&fake), Page::mobile(&fake));
    older.login(&fake).send();
    let first = last_code(&fake);
    newer.login(&fake).send();
    let second = last_code(&fake);
    assert_eq!(fake.mail(ANA).len(), 2);
    assert_eq!(older.verify(&fake, &first).send().status, 409);
    assert_eq!(newer.verify(&fake, &first).send().status, 401);
    assert_eq!(newer.verify(&fake, &second).send().status, 200);
}

#[test]
fn a_code_is_good_for_half_an_hour() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::mobile(&fake);
    page.login(&fake).send();
    fake.advance(29 * MINUTE);
    let code = last_code(&fake);
    assert_eq!(page.verify(&fake, &other_code(&code)).send().kind(), "INVALID_MFA_CODE");
    fake.advance(2 * MINUTE);
    assert_eq!(page.verify(&fake, &code).send().kind(), "INVALID_MFA_CODE");
}

#[test]
fn the_other_json_path_takes_the_same_code() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::mobile(&fake);
    page.login(&fake).send();
    let portal = Page::portal(&fake);
    let crossed = Page { cookies: page.cookies.clone(), ..portal };
    let done = crossed.verify(&fake, &last_code(&fake)).send();
    assert_eq!(done.json()["serviceURL"], "https://connect.garmin.com/app");
    let ticket = done.json()["serviceTicketId"].as_str().unwrap().to_owned();
    assert_eq!(exchange(&fake, &ticket, "https://connect.garmin.com/app").send().status, 200);
}

#[test]
fn the_other_json_path_can_keep_the_logins_service() {
    let fake = fake(SignInMood::MfaEmail);
    fake.knobs(|knobs| knobs.code_keeps_service = true);
    let page = Page::mobile(&fake);
    page.login(&fake).send();
    let crossed = Page { cookies: page.cookies.clone(), ..Page::portal(&fake) };
    let done = crossed.verify(&fake, &last_code(&fake)).send();
    let ticket = done.json()["serviceTicketId"].as_str().unwrap().to_owned();
    assert_eq!(exchange(&fake, &ticket, ANDROID).send().status, 200);
}

#[test]
fn the_method_must_come_back_as_it_was_said() {
    let fake = fake(SignInMood::MfaSms);
    fake.knobs(|knobs| knobs.upper_case_methods = true);
    let page = Page::mobile(&fake);
    assert_eq!(page.login(&fake).send().json()["customerMfaInfo"]["mfaLastMethodUsed"], "SMS");
    let code = last_code(&fake);
    assert_eq!(page.post(&fake, "mfa/verifyCode", &code_body("sms", &code)).send().status, 400);
    assert_eq!(page.post(&fake, "mfa/verifyCode", &code_body("SMS", &code)).send().status, 200);
}

#[test]
fn an_authenticator_app_gets_no_mail() {
    let fake = fake(SignInMood::MfaTotp);
    let page = Page::mobile(&fake);
    assert_eq!(page.login(&fake).send().kind(), "MFA_REQUIRED");
    assert!(fake.mail(ANA).is_empty());
    let code = fake.person(ANA).unwrap().totp_code();
    assert_eq!(page.post(&fake, "mfa/verifyCode", &code_body("totp", &code)).send().status, 200);
}

#[test]
fn another_code_after_half_a_minute_and_not_for_ever() {
    let fake = fake(SignInMood::MfaEmail);
    let page = Page::mobile(&fake);
    let resend = page.post(&fake, "mfa/sendCode", &json!({"mfaMethod": "email"}));
    assert_eq!(resend.send().kind(), "SESSION_EXPIRED");
    page.login(&fake).send();
    let first = last_code(&fake);
    assert_eq!(resend.send().status, 429);
    fake.advance(MINUTE);
    assert_eq!(resend.send().kind(), "SUCCESSFUL");
    let second = last_code(&fake);
    assert_ne!(first, second);
    assert_eq!(page.verify(&fake, &first).send().status, 401);
    let more = (0..10).filter(|_| {
        fake.advance(MINUTE);
        resend.send().status == 200
    });
    assert_eq!(more.count(), 3);
    assert_eq!(page.verify(&fake, &last_code(&fake)).send().status, 200);
}
