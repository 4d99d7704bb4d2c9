"""The account tier with `garminconnect`: every way in, with and without a code, refresh, and the data."""

import json
import pathlib
import tempfile

import garminconnect
from garminconnect.client import sso

from fake import PASSWORD, Fake

ANA, BEN, CEM, DIA = ("ana@example.org", "ben@example.org", "cem@example.org", "dia@example.org")
STRATEGIES = {"mobile+cffi", "mobile+requests", "widget+cffi", "portal+cffi", "portal+requests"}


def hurry() -> None:
    """The pauses before a form is sent guard against Garmin's bot check, which the fake does not have."""
    for flow in ("MOBILE", "WIDGET", "LOGIN"):
        for end in ("MIN", "MAX"):
            name = f"{flow}_DELAY_{end}_S"
            assert hasattr(sso, name), f"garminconnect has no {name} any more"
            setattr(sso, name, 0.0)


def client(email: str, only: str | None = None, password: str = PASSWORD, **more: object) -> garminconnect.Garmin:
    garmin = garminconnect.Garmin(email, password, **more)
    garmin.client.skip_strategies = STRATEGIES - {only} if only else set()
    return garmin


def refused(kind: type[Exception], attempt) -> str:
    try:
        attempt()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def every_flow_signs_in(fake: Fake) -> None:
    for strategy in sorted(STRATEGIES):
        garmin = client(ANA, strategy)
        garmin.login()
        assert garmin.full_name.startswith("ana"), strategy
    assert fake.asked("sso/mobile/api/login") == 2 and fake.asked("sso/portal/api/login") == 2
    assert fake.asked("sso/sso/signin") == 2, "the widget's form, read and sent"


def every_flow_takes_a_code(fake: Fake) -> None:
    for strategy in sorted(STRATEGIES):
        before = len(fake.ask("mail"))
        garmin = client(BEN, strategy, prompt_mfa=lambda: fake.code(BEN))
        garmin.login()
        assert garmin.full_name.startswith("ben"), strategy
        assert len(fake.ask("mail")) == before + 1, f"{strategy}: one code, no more"
        garmin = client(CEM, strategy, prompt_mfa=lambda: fake.app_codes[CEM])
        garmin.login()
        assert garmin.full_name.startswith("cem"), strategy
        assert len(fake.ask("mail")) == before + 1, "an authenticator app gets none"
    assert fake.asked("verifyMFA/mfaCode") == 1, "the widget asks for its code"


def a_code_is_taken_by_another_process(fake: Fake) -> None:
    status, state = client(BEN, "mobile+requests", return_on_mfa=True).login()
    assert status == "needs_mfa"
    other = client(BEN)
    state = json.loads(json.dumps(state))
    wrong = f"{(int(fake.code(BEN)) + 1) % 1_000_000:06}"
    refused(garminconnect.GarminConnectAuthenticationError, lambda: other.resume_login(state, wrong))
    other.resume_login(state, fake.code(BEN))
    assert other.full_name.startswith("ben")


def refusals_are_understood(fake: Fake) -> None:
    before = fake.asked("api/login")
    wrong = client(ANA, password="wrong")
    said = refused(garminconnect.GarminConnectAuthenticationError, wrong.login)
    assert "Invalid Username or Password" in said, said
    assert fake.asked("api/login") == before + 1, "wrong credentials end the chain"
    said = refused(garminconnect.GarminConnectAuthenticationError, client(DIA, "widget+cffi").login)
    assert "Locked" in said, said
    # The form again says "rejected" too, but this client reads it as something else and would go on.
    refused(garminconnect.GarminConnectConnectionError, client(ANA, "widget+cffi", password="wrong").login)


def a_throttled_flow_is_followed_by_the_next(fake: Fake) -> None:
    throttled = {"host": "sso", "path": "/mobile/api/login", "effect": {"kind": "status", "status": 429}}
    fake.ask("misbehave", throttled)
    before = fake.asked("sso/sso/signin")
    client(ANA).login()
    assert fake.asked("sso/sso/signin") == before + 2
    fake.ask("behave", {})


def tokens_are_refreshed(fake: Fake) -> None:
    with tempfile.TemporaryDirectory() as directory:
        store = pathlib.Path(directory) / "garmin_tokens.json"
        client(ANA).login(str(store))
        first = json.loads(store.read_text())
        sign_ins = fake.asked("api/login")
        # Two days later by the fake's clock the access token is over.
        fake.ask("advance", {"seconds": 2 * 24 * 3600})
        later = garminconnect.Garmin()
        later.login(str(store))
        assert later.full_name.startswith("ana")
        second = json.loads(store.read_text())
        assert first["di_refresh_token"] != second["di_refresh_token"], "it rotates"
        assert first["di_client_id"] == second["di_client_id"]
        assert fake.asked("api/login") == sign_ins, "no sign-in for a refresh"
        # The old one is dead.
        stale = pathlib.Path(directory) / "stale.json"
        stale.write_text(json.dumps(first))
        refused(garminconnect.GarminConnectAuthenticationError, lambda: garminconnect.Garmin().login(str(stale)))


def data_is_read(_: Fake) -> None:
    garmin = client(ANA)
    garmin.login()
    days = garmin.get_daily_summaries("2026-10-01", "2026-10-20")["data"]
    assert len(days) > 10 and any(day["movement"]["steps"].get("value") for day in days)
    day = next(day["calendarDate"] for day in days if day["movement"]["steps"].get("value"))
    summary = garmin.get_user_summary(day)
    assert summary["totalSteps"] == next(one for one in days if one["calendarDate"] == day)["movement"]["steps"]["value"]
    listed = garmin.get_activities(0, 20)
    assert len(listed) == 20 and garmin.count_activities() >= 60
    watched = next(one for one in listed if not one.get("manualActivity"))
    assert garmin.get_activity(watched["activityId"])["activityId"] == watched["activityId"]
    kind = garminconnect.Garmin.ActivityDownloadFormat.ORIGINAL
    assert garmin.download_activity(watched["activityId"], kind)[:2] == b"PK"
    nights = [garmin.get_hrv_data(one["calendarDate"]) for one in days]
    assert any(night and night.get("hrvSummary") for night in nights)
    assert garmin.get_device_last_used()["lastUsedDeviceName"]
    # Samples of a day with data, and of the night before it.
    assert len(garmin.get_heart_rates(day)["heartRateValues"]) > 500
    stress = garmin.get_stress_data(day)
    assert len(stress["stressValuesArray"]) > 300 and len(stress["bodyBatteryValuesArray"]) > 300
    assert garmin.get_respiration_data(day)["respirationVersion"] and garmin.get_spo2_data(day)
    assert sum(quarter["steps"] for quarter in garmin.get_steps_data(day)) == summary["totalSteps"]
    assert any(garmin.get_sleep_data(one["calendarDate"])["dailySleepDTO"]["id"] for one in days)
    assert len(garmin.get_body_battery("2026-10-01", "2026-10-20")) > 10
    # What only this tier has.
    assert any(garmin.get_training_readiness(one["calendarDate"]) for one in days)
    assert garmin.get_training_status(day)["mostRecentTrainingStatus"]
    assert garmin.get_race_predictions("2026-10-01", "2026-10-20", "daily")
    assert garmin.get_endurance_score("2026-10-01", "2026-10-20")["groupMap"] is not None
    assert garmin.get_hill_score("2026-10-01", "2026-10-20")["hillScoreDTOList"]
    assert garmin.get_weigh_ins("2026-08-01", "2026-10-20")["dailyWeightSummaries"]
    assert garmin.get_blood_pressure("2026-08-01", "2026-10-20")["measurementSummaries"]
    assert garmin.get_devices() and garmin.get_personal_record() and garmin.get_earned_badges()
    assert garmin.get_activity_splits(watched["activityId"])["lapDTOs"]
    assert garmin.get_activity_hr_in_timezones(watched["activityId"]) is not None


def widget_tokens_can_be_refused(fake: Fake) -> None:
    """With `--refuse-widget-tokens`: the widget alone does not do, and the chain goes on behind it."""
    said = refused(garminconnect.GarminConnectConnectionError, client(ANA, "widget+cffi").login)
    assert "rejected" in said, said
    throttled = {"host": "sso", "path": "/mobile/api/login", "effect": {"kind": "status", "status": 429}}
    fake.ask("misbehave", throttled)
    garmin = client(ANA)
    garmin.login()
    assert garmin.full_name.startswith("ana") and fake.asked("portal/api/login") == 1


def china_has_its_own_hosts(fake: Fake) -> None:
    """With `--domain garmin.cn`: people of garmin.cn, who sign in and refresh there."""
    for strategy in ("mobile+requests", "widget+cffi", "portal+requests"):
        garmin = client(ANA, strategy, is_cn=True)
        garmin.login()
        fake.ask("advance", {"seconds": 2 * 24 * 3600})
        assert garmin.count_activities() >= 60
    # The token is good, but the other region's host does not know its owner.
    garmin.client._di_token_url = "https://diauth.garmin.com/di-oauth2-service/oauth/token"
    fake.ask("advance", {"seconds": 2 * 24 * 3600})
    refused(garminconnect.GarminConnectAuthenticationError, garmin.count_activities)
    last = [one for one in fake.ask("requests") if one["host"] == "diauth"][-1]
    assert last["status"] == 400, last


def run(show, ordinary: Fake, refusing: Fake, chinese: Fake, lead_to) -> None:
    hurry()
    lead_to(ordinary)
    for scene in (
        every_flow_signs_in,
        every_flow_takes_a_code,
        a_code_is_taken_by_another_process,
        refusals_are_understood,
        a_throttled_flow_is_followed_by_the_next,
        data_is_read,
        tokens_are_refreshed,
    ):
        show("garminconnect", scene, ordinary)
    lead_to(refusing)
    show("garminconnect", widget_tokens_can_be_refused, refusing)
    lead_to(chinese)
    show("garminconnect", china_has_its_own_hosts, chinese)
