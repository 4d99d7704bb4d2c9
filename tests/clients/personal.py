"""The Personal tier with Garmin's own client and with `gcpapi-sync`: the key, its bearer, and all that they read."""

import io
import json
import os
import pathlib
import subprocess
import sys
import zipfile

import gcpapi_sync
from garmin_personal_api.auth import PersonalApiAuthenticator
from garmin_personal_api.client import GarminPersonalApiClient
from garmin_personal_api.errors import HttpError

from fake import Fake

ANA = "ana@example.org"
FIRST, LAST, TODAY = "2026-10-01", "2026-10-20", "2026-10-21"
CACHE = pathlib.Path("~/.config/garmin/connect-personal-api-bearer-token.json")


def garmins_own_client_reads_everything(fake: Fake) -> None:
    own = PersonalApiAuthenticator()
    before = fake.asked("personalapitoken-service")
    token = own.obtain_token(fake.keys[ANA], force_refresh=True)
    assert own.obtain_token(fake.keys[ANA]) == token, "it is kept in its cache"
    assert fake.asked("personalapitoken-service") == before + 1
    with GarminPersonalApiClient(token.access_token) as garmin:
        steps = garmin.get_daily_steps(FIRST, LAST)
        days = garmin.get_daily_summaries(FIRST, LAST)["data"]
        counted = {day["calendarDate"]: day["movement"]["steps"].get("value") for day in days}
        assert steps and all(one["totalSteps"] == counted[one["calendarDate"]] for one in steps)
        assert garmin.get_daily_stress(FIRST, LAST) and garmin.get_daily_body_battery(FIRST, LAST)
        assert garmin.get_daily_sleep_summaries(FIRST, LAST) and garmin.get_daily_sleep(LAST)
        assert garmin.get_daily_hrv_summaries(FIRST, LAST)["hrvSummaries"]
        assert garmin.get_user_profile_settings()["displayName"] and garmin.get_heart_rate_zones()
        assert garmin.get_daily_heart_rate(LAST)["calendarDate"] == LAST
        for nothing in (garmin.get_daily_food_logs(LAST), garmin.get_menstrual_cycle_summary(LAST)):
            assert nothing is None
        garmin.get_daily_hydration(FIRST, LAST)
        garmin.get_effective_weight_goals(FIRST, LAST)
        weights = garmin.get_weight_measurements(FIRST, LAST)["dailyWeightSummaries"]
        assert weights and weights[0]["summaryDate"] > weights[-1]["summaryDate"], "newest first"
        assert garmin.get_fitness_age(LAST)["fitnessAge"]
        garmin.get_daily_spo2(LAST)
        garmin.get_wellness_activity_summaries(FIRST, LAST)
        listed = garmin.search_activities(start_date=FIRST, end_date=LAST)
        watched = next(one for one in listed if not one.get("manualActivity"))["activityId"]
        assert garmin.get_activity(watched)["activityId"] == watched and garmin.get_activity_workouts(watched) == []
        with zipfile.ZipFile(io.BytesIO(garmin.download_activity(watched))) as archive:
            assert archive.namelist()
        # Two days too many for steps, and pages that are too big.
        for attempt, status in (
            (lambda: garmin.get_daily_steps("2026-09-21", LAST), 400),
            (lambda: garmin.search_activities(limit=46), 500),
        ):
            try:
                attempt()
                raise AssertionError(f"not refused with {status}")
            except HttpError as error:
                assert error.status_code == status


def garmins_own_program_runs(fake: Fake) -> None:
    program = [sys.executable, "-m", "garmin_personal_api", "--quiet"]
    environment = {**os.environ, "GARMIN_PERSONAL_API_KEY": fake.keys[ANA]}
    ran = subprocess.run([*program, "profile-settings"], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["displayName"]
    environment["GARMIN_PERSONAL_API_KEY"] = "not-a-key"
    ran = subprocess.run([*program, "profile-settings"], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode != 0 and "401" in ran.stderr, ran.stderr


def gcpapi_reads_everything(fake: Fake) -> None:
    with gcpapi_sync.GarminClient(api_key=fake.keys[ANA]) as garmin:
        # Ranges of any length, split to what the endpoint allows; its models check every shape.
        first = "2026-08-01"
        assert len(garmin.get_daily_steps(first, LAST)) > 40
        assert len(garmin.get_daily_summaries(first, LAST)) > 60
        assert len(garmin.get_daily_sleep_summaries(first, LAST)) > 40
        assert garmin.get_daily_hrv_summaries(first, LAST)
        assert garmin.get_daily_stress(first, LAST) and garmin.get_daily_body_battery(first, LAST)
        garmin.get_daily_hydration(first, LAST)
        garmin.get_wellness_activity_summaries(first, LAST)
        assert garmin.get_daily_summary(LAST) and garmin.get_daily_sleep(LAST) and garmin.get_daily_heart_rate(LAST)
        assert garmin.get_heart_rate_zones() and garmin.get_user_profile_settings()
        garmin.get_daily_hrv(LAST)
        assert garmin.get_weight_range(first, LAST) and garmin.get_fitness_age(LAST)
        garmin.get_effective_weight_goals(first, LAST)
        garmin.get_daily_spo2(LAST)
        listed = garmin.search_activities(limit=5)
        assert len(listed) == 5 and len(list(garmin.iter_activities(start_date=first))) > 20
        watched = next(one for one in listed if not one.manual_activity)
        assert garmin.get_activity(watched.activity_id) and garmin.get_activity_workouts(watched.activity_id) == []
        assert garmin.download_activity_zip(watched.activity_id)[:2] == b"PK"


def a_bearer_is_renewed(fake: Fake) -> None:
    before = fake.asked("personalapitoken-service")
    with gcpapi_sync.GarminClient(api_key=fake.keys[ANA]) as garmin:
        garmin.get_user_profile_settings()
        fake.ask("advance", {"seconds": 25 * 3600})
        garmin.get_user_profile_settings()
    assert fake.asked("personalapitoken-service") == before + 2
    own = PersonalApiAuthenticator()
    assert own.obtain_token(fake.keys[ANA], force_refresh=True).access_token
    try:
        gcpapi_sync.GarminClient(api_key="not-a-key").get_user_profile_settings()
        raise AssertionError("a wrong key was taken")
    except gcpapi_sync.AuthenticationError:
        pass


def what_some_people_log_is_read(fake: Fake) -> None:
    """With `--habits`: cycle and food."""
    days = [f"2026-10-{day:02}" for day in range(1, 21)]
    with gcpapi_sync.GarminClient(api_key=fake.keys[ANA]) as garmin:
        assert garmin.get_menstrual_cycle_summary(LAST) and garmin.get_menstrual_cycle_day_view(LAST)
        assert any(garmin.get_daily_food_logs(day) for day in days)
    token = PersonalApiAuthenticator().obtain_token(fake.keys[ANA], force_refresh=True)
    with GarminPersonalApiClient(token.access_token) as garmin:
        assert garmin.get_menstrual_cycle_summary(LAST)["dayInCycle"]
        assert any(log and log["dailyNutritionContent"] for log in map(garmin.get_daily_food_logs, days))


SCENES = (garmins_own_client_reads_everything, garmins_own_program_runs, gcpapi_reads_everything, a_bearer_is_renewed)


def run(show, fake: Fake, logging: Fake, lead_to) -> None:
    lead_to(logging)
    show("Personal tier by its real name", what_some_people_log_is_read, logging)
    lead_to(fake)
    for scene in SCENES:
        show("Personal tier by its real name", scene, fake)
    # The same at the address that both clients can be told.
    os.environ["GARMIN_PERSONAL_API_BASE_URL"] = f"{fake.url}/personal"
    os.environ["NO_PROXY"] = "127.0.0.1"
    for scene in SCENES:
        show("Personal tier by GARMIN_PERSONAL_API_BASE_URL", scene, fake)
